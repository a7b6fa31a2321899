// Who may ask for what. Keys are known by their SHA-256 alone; the file that has
// them is read with each request, so a new key works and a revoked one does not
// from the next request on, and nothing is restarted.

import crypto from 'crypto';
import fs from 'fs';

// Path -> what it takes. A path without a role is open to every key.
const ROUTES = {
    '/': { methods: ['GET', 'HEAD'] },
    '/docs.json': { methods: ['GET', 'HEAD'] },
    '/console': { methods: ['GET', 'HEAD'], role: 'score' },
    '/contract': { methods: ['GET', 'HEAD'], role: 'score' },
    '/model': { methods: ['GET', 'HEAD'], role: 'score' },
    '/what-if': { methods: ['POST'], role: 'score' },
    '/what-if/approval': { methods: ['POST'], role: 'score' },
    '/predict': { methods: ['POST'], role: 'score' },
    '/predict/batch': { methods: ['POST'], role: 'score' },
    '/outcomes': { methods: ['POST'], role: 'outcomes' },
    '/monitoring': { methods: ['GET', 'HEAD'], role: 'monitor' },
    '/monitoring/report': { methods: ['GET', 'HEAD'], role: 'monitor' },
};
const MLFLOW = {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    role: 'admin',
};
const MLFLOW_PATH = /^\/mlflow\/(?!\/)(?:[\w.~!$&'()*+,;=:@-]|%(?!2[EeFf]|5[Cc]|[01])[0-9A-Fa-f]{2}|\/(?!\/))*$/;
const CONSOLE_FILE = /^\/console\/[a-z_]{1,40}\.(?:css|js|svg)$/;
const DOTS = /\/\.{1,2}(?:\/|$)/;
// What is passed on must be there once: two parsers may choose differently.
const ONCE = ['authorization', 'content-type', 'content-encoding', 'content-length',
    'host', 'idempotency-key', 'transfer-encoding'];
const KEY = /^cs_[A-Za-z0-9_-]{43}$/;
const LINE = /^[0-9a-f]{64} ([a-z0-9-]{1,32}) ([a-z,]+) (low|standard|high) (\d{4}-\d\d-\d\d|-)$/;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const LONGEST_BASIC = 256;

function path_of(r) {
    const asked = r.variables.request_uri || '';
    const query = asked.indexOf('?');
    return query < 0 ? asked : asked.slice(0, query);
}

function route_of(r) {
    const path = path_of(r);
    if (Object.prototype.hasOwnProperty.call(ROUTES, path)) {
        return ROUTES[path];
    }
    if (CONSOLE_FILE.test(path)) {
        return ROUTES['/console'];
    }
    // Only as it is written: no other spelling of a path is taken for it.
    return MLFLOW_PATH.test(path) && !DOTS.test(path) ? MLFLOW : null;
}

// For the log: a path that is not there may hold anything.
function route(r) {
    const found = route_of(r);
    if (found === ROUTES['/console']) {
        return '/console';
    }
    return found === MLFLOW ? '/mlflow/' : found ? path_of(r) : 'other';
}

function values_of(r, name) {
    return r.rawHeadersIn.filter((pair) => pair[0].toLowerCase() === name);
}

function key_sent(r) {
    const header = r.headersIn['Authorization'] || '';
    if (header.slice(0, 7).toLowerCase() === 'bearer ') {
        return header.slice(7);
    }
    if (header.slice(0, 6).toLowerCase() === 'basic ' && header.length < LONGEST_BASIC) {
        // Browsers and MLflow's client: any name, and the key as its password.
        const text = Buffer.from(header.slice(6), 'base64').toString();
        return text.slice(text.indexOf(':') + 1);
    }
    return '';
}

// Gives the holder of the key; null if there is none.
function holder(r) {
    const key = key_sent(r);
    if (!KEY.test(key)) {
        return null;
    }
    const digest = crypto.createHash('sha256').update(key).digest('hex');
    const keys = '\n' + fs.readFileSync(r.variables.gateway_keys_file, 'utf8');
    const start = keys.indexOf('\n' + digest + ' ');
    if (start < 0) {
        return null;
    }
    const end = keys.indexOf('\n', start + 1);
    const parts = LINE.exec(keys.slice(start + 1, end < 0 ? keys.length : end));
    const today = new Date().toISOString().slice(0, 10);
    if (!parts || (parts[4] !== '-' && parts[4] < today)) {
        return null;
    }
    return { name: parts[1], roles: parts[2].split(','), rate: parts[3] };
}

function judged(r) {
    const asked = route_of(r);
    if (!asked) {
        return '404';
    }
    if (ONCE.some((name) => values_of(r, name).length > 1)) {
        return '400';
    }
    const found = holder(r);
    if (!found) {
        return '401';
    }
    if (asked.role && found.roles.indexOf(asked.role) < 0) {
        return '403';
    }
    return asked.methods.indexOf(r.method) < 0 ? '405' : 'pass';
}

// Gives `pass`, or the status with which the request is refused.
function refusal(r) {
    try {
        return judged(r);
    } catch (e) {
        return '503';
    }
}

function known(r) {
    try {
        return holder(r);
    } catch (e) {
        return null;
    }
}

function key_name(r) {
    const found = known(r);
    return found ? found.name : '';
}

function rate(r) {
    const found = known(r);
    return found ? found.rate : '';
}

function request_id(r) {
    const sent = values_of(r, 'x-request-id');
    if (sent.length === 1 && REQUEST_ID.test(sent[0][1])) {
        return sent[0][1];
    }
    return r.variables.request_id;
}

// status -> name of the problem, title, what to do about it
const PROBLEMS = {
    '400': ['bad-request', 'Bad Request', 'this is no request that can be passed on'],
    '401': ['no-valid-key', 'Unauthorized',
        'send a valid key: Authorization: Bearer KEY'],
    '403': ['role-missing', 'Forbidden', 'this key has not the role that the path asks for'],
    '404': ['not-found', 'Not Found',
        'there is nothing at this path; /docs.json lists what there is'],
    '405': ['method-not-allowed', 'Method Not Allowed', 'this path takes '],
    '408': ['body-too-slow', 'Request Timeout', 'the request was not complete in time'],
    '411': ['length-required', 'Length Required', 'say the length of the body'],
    '413': ['body-too-large', 'Request Entity Too Large',
        'the body is larger than this path takes'],
    '414': ['head-too-large', 'Request-URI Too Long', 'the path and query are too long'],
    '429': ['too-many-requests', 'Too Many Requests',
        'this key asks more often than its rate allows'],
    '431': ['head-too-large', 'Request Header Fields Too Large',
        'the headers are too large'],
    '502': ['service-unreachable', 'Bad Gateway',
        'no server could be reached, or the connection to it was lost; '
        + 'with an Idempotency-Key it may be sent again'],
    '503': ['gateway-closed', 'Service Unavailable', 'the gateway cannot decide who asks'],
    '504': ['service-too-slow', 'Gateway Timeout',
        'no answer came in time; with an Idempotency-Key it may be sent again'],
};
const OTHER = {
    '4': ['bad-request', 'Bad Request', 'this is no request that can be passed on'],
    '5': ['service-unreachable', 'Bad Gateway', 'the request could not be passed on'],
};

function problem(r) {
    const status = r.variables.status;
    const said = PROBLEMS[status] || OTHER[status[0]];
    let detail = said[2];
    r.headersOut['Content-Type'] = 'application/problem+json';
    r.headersOut['Cache-Control'] = 'no-store';
    if (status === '401') {
        r.headersOut['WWW-Authenticate'] = ['Bearer realm="credit-scoring"',
            'Basic realm="credit-scoring", charset="UTF-8"'];
    }
    if (status === '405') {
        const asked = route_of(r);
        const methods = asked ? asked.methods.join(', ') : 'no method';
        r.headersOut['Allow'] = methods;
        detail += methods;
    }
    if (status === '429' || status[0] === '5') {
        r.headersOut['Retry-After'] = '1';
    }
    r.return(Number(status), JSON.stringify({
        type: `tag:credit-scoring,2026:${said[0]}`,
        title: said[1],
        status: Number(status),
        detail: detail,
        errors: [],
    }));
}

export default { key_name, problem, rate, refusal, request_id, route };
