"""A server that speaks Google Cloud Storage's XML API, for `clouds.py`: `python3 google.py PORT S3_URL`.

That API is Amazon's with other names: Google documents it as a way to move from S3, with `x-goog-` in the place of `x-amz-`. So this
hands requests on to an S3 server with the headers renamed, and renames those of the answers back. It holds one request's body in memory."""

import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

HOP = {"connection", "host", "transfer-encoding", "keep-alive", "authorization"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target = ""

    def log_message(self, *_):
        pass

    def handle_any(self):
        if self.headers.get("Authorization", "") != "Bearer anonymous":
            self.send_error(401)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.replace("x-goog-", "x-amz-"): value for name, value in self.headers.items()
                   if name.lower() not in HOP}
        # The S3 server wants to see that somebody signed; it does not look at the signature.
        headers["Authorization"] = "AWS id:signature"
        # Google takes every sign of a name percent-encoded; the S3 server only those that must be.
        path, mark, query = self.path.partition("?")
        path = quote(unquote(path)) + mark + query
        onward = http.client.HTTPConnection(self.target, timeout=60)
        try:
            onward.request(self.command, path, body, headers)
            answer = onward.getresponse()
            content = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP | {"content-length"}:
                    self.send_header(name.replace("x-amz-", "x-goog-"), value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content)
        finally:
            onward.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    Handler.target = urlsplit(sys.argv[2]).netloc
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
