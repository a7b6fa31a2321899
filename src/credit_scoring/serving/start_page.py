"""``/``: the API's documentation as a page, from this server alone."""

from credit_scoring.serving.messages import Receive, Reply, Scope

# BentoML ships Swagger UI and serves it, but its own page around it loads a
# tracker of a third party, which has no place where applicants are scored.
_PAGE = b"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8">
    <title>Credit scoring</title>
    <link rel="stylesheet" href="./static_content/swagger-ui.css">
    <link rel="stylesheet" href="./static_content/index.css">
    <link rel="icon" href="./static_content/favicon-light-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="./static_content/swagger-ui-bundle.js"></script>
    <script src="./static_content/swagger-ui-standalone-preset.js"></script>
    <script src="./static_content/swagger-initializer.js"></script>
  </body>
</html>
"""

_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    # Nothing is loaded from, or sent to, anywhere else.
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'",
    ),
)


async def start_page(scope: Scope, receive: Receive) -> Reply:
    """Give the page."""
    return Reply(200, _PAGE, _HEADERS)
