def make(*_): raise SystemExit("later")
