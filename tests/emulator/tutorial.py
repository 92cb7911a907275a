"""The server of Twilio's tutorial on media streams with Flask, written anew: it prints and counts messages.

python -m tests.emulator.tutorial PORT
"""

import json
import logging
import sys
from base64 import b64decode

from flask import Flask, Response, request
from flask_sock import ConnectionClosed, Server, Sock  # type: ignore[import-untyped]

app = Flask(__name__)
sock = Sock(app)


@app.post("/voice")
def voice() -> Response:
    """The tutorial's TwiML, with the address of this server in it."""
    stream = f'<Start><Stream url="ws://{request.host}/media"/></Start>'
    twiml = f'<Response>{stream}<Say>I will stream the next 60 seconds.</Say><Pause length="60"/></Response>'
    return Response(twiml, mimetype="text/xml")


@sock.route("/media")  # type: ignore[untyped-decorator]
def media(ws: Server) -> None:
    """Print the first message of each kind, the first sound and how much it is, and count all messages."""
    print("Connection accepted")
    count, sound = 0, 0
    try:
        while True:
            message = json.loads(ws.receive())
            count += 1
            if message["event"] != "media":
                print(f"{message['event']} message: {json.dumps(message)}")
                continue
            payload = message["media"]["payload"]
            if not sound:
                print(f"media message: {json.dumps(message)}\npayload: {payload}")
                print(f"bytes: {len(b64decode(payload))}")
            sound += len(b64decode(payload))
    except ConnectionClosed:
        print(f"Connection closed. Received {count} messages and {sound} bytes of sound")


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its lines would fall between ours
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
