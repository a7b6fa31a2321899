// The service's own API, found beside this file; nothing else is ever asked.

const at = (path) => new URL(`../${path}`, import.meta.url);

// A problem document (RFC 9457) as an error.
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `the service answered ${status}`);
    this.status = status;
    this.errors = body?.errors ?? [];
  }
}

export async function get(path) {
  return answerOf(await asked(at(path), {}));
}

export async function getText(path) {
  const response = await asked(at(path), {});
  if (!response.ok) throw new Problem(response.status, null);
  return response.text();
}

export async function post(path, value, { signal } = {}) {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
    signal,
  };
  return answerOf(await asked(at(path), request));
}

async function asked(url, request) {
  try {
    return await fetch(url, { ...request, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "the service cannot be reached" });
  }
}

async function answerOf(response) {
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}
