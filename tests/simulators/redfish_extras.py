"""sushy-emulator with what it lacks: sessions, event subscriptions, tasks, ETags, NMI, and devices that fail.

Everything in this file is this project's own and stands for no vendor's BMC; what it passes on is answered by the emulator
itself. Run as `python redfish_extras.py EMULATOR.CONF`. A test steers it over `/control`, which asks for no login:

    GET                     {"journal": [every request but the test's own], "sessions": n, "nmis": n}
    POST {"rule": {...}}    what happens to the next requests that fit: `method`, `path` (a regular expression), `times`
                            (1), `after` (requests that are let through before), and `do`:
        status    answer with `status`, `headers`, `json`
        raw       answer with these bytes, and close
        close     close without an answer
        hang      never answer
        slow      take `seconds` longer
        replace   in the emulator's answer `old` becomes `new`
        empty     the emulator's answer becomes a 204 that keeps its headers
        overtake  somebody else changes the resource just before
        task      answer 202; the request is carried out after `polls` looks at the task. `kind`: monitor or task;
                  `failure`: the task fails with this message
    POST {"forget": true}   the BMC forgets all sessions
"""

import io
import json
import re
import secrets
import socket
import ssl
import sys
import threading
import time

import flask
from sushy_tools.emulator import auth_basic, main
from sushy_tools import error
from werkzeug.test import run_wsgi_app

ROOT = "/redfish/v1"
SESSIONS = ROOT + "/SessionService/Sessions"
SUBSCRIPTIONS = ROOT + "/EventService/Subscriptions"
app = main.app
lock = threading.RLock()
rules, journal = [], []
sessions, subscriptions, tasks = {}, {}, {}
versions, enabled = {}, {}
nmis = [0]


def fault(status, message, **headers):
    body = {"error": {"code": "Base.1.8.GeneralError", "message": "see the extended information",
                      "@Message.ExtendedInfo": [{"MessageId": "Base.1.8.GeneralError", "Message": message,
                                                 "Resolution": "None."}]}}
    return reply(status, body, **headers)


def reply(status, body=None, **headers):
    text = "" if body is None else json.dumps(body)
    return flask.Response(text, status=status, content_type="application/json",
                          headers={name.replace("_", "-"): value for name, value in headers.items()})


# Sessions: a login of its own, beside the emulator's Basic authentication.

def create_session(body):
    try:
        auth_basic.authenticate(app.config["SUSHY_EMULATOR_AUTH_FILE"], body["UserName"], body["Password"].encode())
    except (error.FishyError, KeyError):
        return fault(401, "the credentials are wrong")
    number, token = str(len(sessions) + 1), secrets.token_hex(16)
    with lock:
        sessions[number] = token
    place = SESSIONS + "/" + number
    return reply(201, {"@odata.id": place, "Id": number, "UserName": body["UserName"]}, Location=place, X_Auth_Token=token)


@app.route(ROOT + "/SessionService/Sessions/<number>", methods=["GET", "DELETE"])
def session(number):
    if sessions.get(number) is None:
        return fault(404, "no such session")
    if flask.request.method == "DELETE":
        sessions[number] = None
        return reply(204)
    return reply(200, {"@odata.id": SESSIONS + "/" + number, "Id": number})


# Event subscriptions.

@app.route(ROOT + "/EventService")
def event_service():
    return reply(200, {"@odata.id": ROOT + "/EventService", "Id": "EventService",
                       "EventTypesForSubscription": ["Alert", "StatusChange"],
                       "Subscriptions": {"@odata.id": SUBSCRIPTIONS}})


@app.route(SUBSCRIPTIONS, methods=["GET", "POST"])
def all_subscriptions():
    if flask.request.method == "GET":
        # In pages of two, to be walked through.
        first = int(flask.request.args.get("$skip", 0))
        page = list(subscriptions)[first:first + 2]
        body = {"@odata.id": SUBSCRIPTIONS, "Name": "Subscriptions", "Members@odata.count": len(subscriptions),
                "Members": [{"@odata.id": SUBSCRIPTIONS + "/" + number} for number in page]}
        if first + 2 < len(subscriptions):
            body["Members@odata.nextLink"] = "%s?$skip=%d" % (SUBSCRIPTIONS, first + 2)
        return reply(200, body)
    number = str(len(subscriptions) + 1)
    place = SUBSCRIPTIONS + "/" + number
    subscriptions[number] = {"@odata.id": place, "Id": number, "Name": "a subscription", **flask.request.json}
    return reply(201, subscriptions[number], Location=place)


@app.route(SUBSCRIPTIONS + "/<number>", methods=["GET", "DELETE"])
def one_subscription(number):
    if number not in subscriptions:
        return fault(404, "no such subscription")
    if flask.request.method == "DELETE":
        del subscriptions[number]
        return reply(204)
    return reply(200, subscriptions[number])


# Around the emulator's own resources.

@app.before_request
def before():
    request = flask.request
    if request.method == "PATCH":
        if request.headers.get("If-Match") != etag(request.path):
            return fault(412, "the resource has changed")
        boot = (request.json or {}).get("Boot") or {}
        if "BootSourceOverrideEnabled" in boot:
            enabled[request.path] = boot["BootSourceOverrideEnabled"]
    if request.path.endswith("ComputerSystem.Reset") and (request.json or {}).get("ResetType") == "Nmi":
        nmis[0] += 1
        return reply(204)


@app.after_request
def after(response):
    request = flask.request
    if request.method == "PATCH" and response.status_code < 300:
        versions[request.path] = versions.get(request.path, 0) + 1
    if request.method == "GET" and response.status_code == 200:
        response.headers["ETag"] = etag(request.path)
        body = response.get_json(silent=True)
        if request.path.rstrip("/") == ROOT:
            body.update({"EventService": {"@odata.id": ROOT + "/EventService"},
                         "Links": {"Sessions": {"@odata.id": SESSIONS}}})
        elif request.path in enabled:
            body["Boot"]["BootSourceOverrideEnabled"] = enabled[request.path]
        response.set_data(json.dumps(body))
    return response


def etag(path):
    return '"%d"' % versions.get(path, 0)


class Extras:
    """Around the emulator and its Basic authentication."""

    def __init__(self, guarded):
        self.guarded, self.open = guarded, guarded.app

    def __call__(self, env, start_response):
        path, method = env["PATH_INFO"], env["REQUEST_METHOD"]
        body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
        env["wsgi.input"] = io.BytesIO(body)
        if path == "/control":
            return self.control(method, body)(env, start_response)
        if "HTTP_X_SUITE" in env:
            return self.guarded(env, start_response)
        entry = {"method": method, "path": path, "if_match": env.get("HTTP_IF_MATCH"), "token": "HTTP_X_AUTH_TOKEN" in env,
                 "basic": "HTTP_AUTHORIZATION" in env}
        if body and path != SESSIONS:
            entry["body"] = json.loads(body)
        with lock:
            journal.append(entry)
            rule = self.rule(method, path)
        return self.obey(rule, env, body)(env, start_response)

    def control(self, method, body):
        with lock:
            if method == "GET":
                alive = sum(token is not None for token in sessions.values())
                return reply(200, {"journal": journal, "sessions": alive, "nmis": nmis[0]})
            order = json.loads(body)
            if "rule" in order:
                rules.append({"times": 1, "after": 0, **order["rule"]})
            if order.get("forget"):
                sessions.update({number: None for number in sessions})
            return reply(204)

    def rule(self, method, path):
        for rule in rules:
            if rule["times"] and rule.get("method", method) == method and re.search(rule["path"], path):
                if rule["after"]:
                    rule["after"] -= 1
                    continue
                rule["times"] -= 1
                return rule
        return None

    def obey(self, rule, env, body):
        rule = rule or {"do": "nothing"}
        do, connection = rule["do"], env.get("werkzeug.socket")
        if do == "status":
            return reply(rule["status"], rule.get("json"), **rule.get("headers", {}))
        if do == "raw":
            connection.sendall(rule["raw"].encode())
        if do in ("raw", "close"):
            connection.shutdown(socket.SHUT_RDWR)
            return reply(500)
        if do == "hang":
            threading.Event().wait()
        if do == "slow":
            time.sleep(rule["seconds"])
        if do == "overtake":
            versions[env["PATH_INFO"]] = versions.get(env["PATH_INFO"], 0) + 1
        if do == "task":
            return self.begin(rule, env, body)
        answer = self.emulator(env, body)
        if do == "replace":
            answer.set_data(answer.get_data(as_text=True).replace(rule["old"], rule["new"]))
        if do == "empty":
            answer.status_code, answer.data = 204, b""
        return answer

    def emulator(self, env, body):
        """What the emulator answers, by its own login or by a session."""
        path, token = env["PATH_INFO"], env.get("HTTP_X_AUTH_TOKEN")
        if path.rstrip("/") == SESSIONS and env["REQUEST_METHOD"] == "POST":
            return create_session(json.loads(body))
        inner = self.guarded
        if token is not None:
            if token not in sessions.values():
                return fault(401, "no such session")
            inner = self.open
        if path in tasks:
            return self.look(path)
        env = dict(env, **{"wsgi.input": io.BytesIO(body)})
        chunks, status, headers = run_wsgi_app(inner, env, buffered=True)
        return flask.Response(b"".join(chunks), status=status, headers=list(headers))

    def begin(self, rule, env, body):
        kind = rule.get("kind", "monitor")
        place = "%s/TaskService/%s/%d" % (ROOT, "Tasks" if kind == "task" else "TaskMonitors", len(tasks) + 1)
        tasks[place] = {"polls": rule.get("polls", 2), "env": dict(env), "body": body, "kind": kind,
                        "failure": rule.get("failure")}
        return reply(202, None, Location=place)

    def look(self, place):
        task = tasks[place]
        task["polls"] -= 1
        state = {"@odata.type": "#Task.v1_4_0.Task", "@odata.id": place, "TaskState": "Running", "Messages": []}
        if task["polls"] >= 0:
            return reply(200 if task["kind"] == "task" else 202, state)
        if task["failure"] and task["kind"] == "monitor":
            return fault(400, task["failure"])
        if task["failure"]:
            return reply(200, {**state, "TaskState": "Exception", "Messages": [{"Message": task["failure"]}]})
        answer = self.emulator(task["env"], task["body"])
        return answer if task["kind"] == "monitor" else reply(200, {**state, "TaskState": "Completed"})


def serve(config):
    app.configure(config_file=config)
    app.wsgi_app = Extras(app.wsgi_app)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(app.config["SUSHY_EMULATOR_SSL_CERT"], app.config["SUSHY_EMULATOR_SSL_KEY"])
    app.run(host=app.config["SUSHY_EMULATOR_LISTEN_IP"], port=app.config["SUSHY_EMULATOR_LISTEN_PORT"],
            ssl_context=context, threaded=True)


if __name__ == "__main__":
    serve(sys.argv[1])
