"""Authenticated `GET /users/me`: ours, ours with the same reads and no check of the token, and FastAPI with the same checks."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64decode
from pathlib import Path

import machine
import report
from machine import versions
from measure import Contestant, in_turns, median

HERE = Path(__file__).parent
CONNECTIONS, SECONDS = 32, 8
OURS, UNCHECKED, PEER, REMEMBERING = "heimdex", "no token check", "FastAPI", "FastAPI, remembering tokens"
TARGETS = [(OURS, UNCHECKED, 0.6), (OURS, PEER, 10.0), (OURS, REMEMBERING, None)]


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--ours", required=True, help="the built example `auth`")
    parser.add_argument("--python", required=True, help="the interpreter that has the peers")
    parser.add_argument("--api", required=True, help="a running API of the embedded default")
    parser.add_argument("--ports", required=True, help="three free ports, by commas")
    options = parser.parse_args()
    document = report.start("Authenticated reads: GET /users/me", versions("fastapi", "uvicorn", "asyncpg", "pyjwt"))

    token = sign_in(options.api)
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    unchecked, plain, remembering = (f"http://127.0.0.1:{port}" for port in options.ports.split(","))
    peer = {"JWKS_URL": f"{options.api}/auth/v1/.well-known/jwks.json", "ISSUER": claims["iss"]}
    uvicorn = [options.python, "-m", "uvicorn", "--app-dir", str(HERE), "peer_auth:app", "--workers", str(options.threads),
               "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning", "--port"]
    servers = [
        ([options.ours, "serve-unchecked", claims["sub"], claims["session_id"]],
         {"HEIMDEX_API_BIND": unchecked.removeprefix("http://")}, unchecked),
        (uvicorn + [plain.rsplit(":", 1)[1]], peer, plain),
        (uvicorn + [remembering.rsplit(":", 1)[1]], peer | {"REMEMBER": "1"}, remembering),
    ]
    running = [subprocess.Popen(command, env=os.environ | extra, start_new_session=True) for command, extra, _ in servers]
    try:
        urls = {OURS: options.api} | dict(zip((UNCHECKED, PEER, REMEMBERING), (url for *_, url in servers)))
        profiles = {name: await_profile(url, token) for name, url in urls.items()}
        contestants = [Contestant(name, [options.ours, "load", f"{url}/users/me", token, str(CONNECTIONS), str(SECONDS)])
                       for name, url in urls.items()]
        runs = in_turns(contestants, options.rounds)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(timeout=20)

    for command, extra, _ in servers:
        print(f"\n  {' '.join(f'{name}={value}' for name, value in extra.items())} {' '.join(command)}")
    print(f"\n  load: {options.ours} load URL TOKEN {CONNECTIONS} {SECONDS}, on the same {machine.cores()} cores")
    rate = {name: median(own, lambda run: run.answer["per_second"]) for name, own in runs.items()}
    report.table(["", "requests/s", "p50 ms", "p99 ms"],
                 [[name, f"{rate[name]:.0f}", *(f"{median(own, lambda run, key=key: run.answer[key]):.2f}" for key in ("p50_ms", "p99_ms"))]
                  for name, own in runs.items()])
    print()
    ratios = {}
    for ours, theirs, target in TARGETS:
        ratios[f"{ours} against {theirs}"] = ratio = rate[ours] / rate[theirs]
        wanted = "" if target is None else f" (wanted: at least {target:g}×: {'yes' if ratio >= target else 'NO'})"
        print(f"  {ours} against {theirs}: {ratio:.2f}× the requests{wanted}")
    same = all(profile == profiles[OURS] for profile in profiles.values())
    print(f"  everybody answers with the same profile: {'yes' if same else f'NO: {profiles}'}")
    for contestant in contestants:
        contestant.command[3] = "TOKEN"
    report.write(options.json, document | {"ratios": ratios, "same_profile": same}, contestants, runs)


def sign_in(api: str) -> str:
    body = json.dumps({"email": os.environ["HEIMDEX_EMAIL"], "password": os.environ["HEIMDEX_PASSWORD"]}).encode()
    request = urllib.request.Request(f"{api}/auth/v1/token?grant_type=password", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["access_token"]


def await_profile(url: str, token: str) -> dict:
    """The profile, as soon as the server answers; times are compared as instants."""
    request = urllib.request.Request(f"{url}/users/me", headers={"authorization": f"Bearer {token}"})
    for _ in range(300):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                profile = json.load(response)
                return {name: value for name, value in profile.items() if not name.endswith("_at")}
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{url} answers {error.code}") from error
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()
