#!/usr/bin/env python3
"""Writes the JSON log of a made-up shop's services, for trying `lmz train`.

    service_log.py --megabytes 30 --seed 1 --start 2025-03-01T00:00:00 > train.jsonl
    service_log.py --megabytes 1  --seed 2 --start 2025-04-10T00:00:00 > unseen.jsonl

Requests go through several services and leave lines with one trace id: gateway, authentication, catalogue, orders,
payment, database, now and then a retry, a timeout or a stack trace. Users, products and paths are drawn by Zipf's law
from sets that depend on the shop (--shop) and not on the seed, as in real logs of one system; times, ids, latencies and
addresses are drawn anew. Ids are random, so that no compressor gets below their entropy.
"""
import argparse
import datetime
import json
import random
import sys

AGENTS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
          "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0", "shop-android/5.12.1 (okhttp/4.12.0)", "shop-ios/5.12.0", "curl/8.9.1"]
ADJ = "red blue small large wooden cotton steel warm light classic modern soft".split()
NOUN = "lamp chair desk mug scarf kettle shelf pillow blanket clock vase basket jacket".split()


class Shop:
    def __init__(self, seed):
        r = random.Random(f"shop {seed}")
        self.users = [f"u{r.randrange(10 ** 6):06d}" for _ in range(4000)]
        self.products = [(f"SKU-{r.randrange(16 ** 6):06X}", f"{r.choice(ADJ)} {r.choice(ADJ)} {r.choice(NOUN)}", r.randrange(499, 19999)) for _ in range(1500)]
        self.hosts = {s: [f"{s}-{r.randrange(16 ** 5):05x}-{x}" for x in ("4k2vx", "9tqpl", "hw7zd")] for s in ("gateway", "auth", "catalog", "orders", "payment")}
        self.nets = [f"{r.randrange(11, 213)}.{r.randrange(256)}" for _ in range(300)]
        self.rank = {n: [1 / (i + 3) for i in range(n)] for n in (4000, 1500, 300)}

    def pick(self, r, things):
        return r.choices(things, self.rank[len(things)])[0]


def request(shop, r, now):
    """The lines of one request: (seconds after its start, fields)."""
    t, lines, trace = 0., [], f"{r.getrandbits(64):016x}"
    user, sku = shop.pick(r, shop.users), shop.pick(r, shop.products)

    def line(service, level, event, **more):
        lines.append((now + t, {"level": level, "service": service, "host": r.choice(shop.hosts[service]), "trace": trace, "event": event, **more}))
    kind = r.choices(["search", "product", "cart", "checkout", "login", "health"], [30, 34, 14, 6, 9, 7])[0]
    ip = f"{shop.pick(r, shop.nets)}.{r.randrange(256)}.{r.randrange(1, 255)}"
    path = {"search": f"/api/v2/search?q={sku[1].split()[-1]}&page={min(9, int(r.expovariate(.9)) + 1)}", "product": f"/api/v2/products/{sku[0]}",
            "cart": "/api/v2/cart/items", "checkout": "/api/v2/checkout", "login": "/api/v2/session", "health": "/healthz"}[kind]
    method, status = ("POST" if kind in ("cart", "checkout", "login") else "GET"), 200
    if kind == "health":
        line("gateway", "debug", "health", checks={"db": "ok", "redis": "ok", "queue": "ok"}, uptime_s=int(now) % 900000)
        return lines
    ms = lambda median: round(median * r.lognormvariate(0, .5), 2)
    t += .001
    line("auth", "debug", "token.verified" if kind != "login" else "login.attempt", user=user, cache=r.random() < .8, took_ms=ms(1.7))
    if kind == "login" and r.random() < .12:
        status, _ = 401, line("auth", "warn", "login.failed", user=user, reason=r.choice(["bad_password", "bad_password", "expired", "locked"]), attempts=r.randrange(1, 6))
    elif kind in ("search", "product"):
        t += (took := ms(14)) / 1000
        n = int(r.lognormvariate(2.5, 1)) if kind == "search" else 1
        line("catalog", "info", "query", statement="SELECT id, name, price FROM products WHERE " + ("name ILIKE $1 LIMIT 40" if kind == "search" else "id = $1"), rows=min(n, 40), took_ms=took)
        if took > 35:
            line("catalog", "warn", "query.slow", threshold_ms=35, took_ms=took)
    elif kind in ("cart", "checkout"):
        t += (took := ms(9)) / 1000
        qty = min(9, 1 + int(r.expovariate(1.4)))
        line("orders", "info", "cart.updated", user=user, sku=sku[0], name=sku[1], quantity=qty, total_cents=sku[2] * qty, took_ms=took)
        if kind == "checkout":
            order = f"ord_{r.getrandbits(40):010x}"
            for attempt in range(1, 4):
                t += (took := ms(180)) / 1000
                if r.random() > .07:
                    line("payment", "info", "charge.accepted", order=order, amount_cents=sku[2] * qty, currency=r.choices(["EUR", "USD", "GBP"], [7, 2, 1])[0], provider=r.choices(["stripe", "adyen"], [4, 1])[0], attempt=attempt, took_ms=took)
                    break
                line("payment", "error", "charge.failed", order=order, attempt=attempt, took_ms=took, error="upstream timed out after 2000 ms",
                     stack=["PaymentError: upstream timed out", "    at Gateway.charge (/srv/payment/dist/gateway.js:211:13)", "    at async Checkout.pay (/srv/payment/dist/checkout.js:88:22)", "    at async Queue.run (/srv/payment/dist/queue.js:41:9)"])
            else:
                status = 502
    t += .002
    line("gateway", "info" if status < 500 else "error", "request", method=method, path=path, status=status, bytes=int(r.lognormvariate(7.2, .8)), took_ms=round(t * 1000, 2), ip=ip, user=user, agent=r.choices(AGENTS, [8, 6, 2, 5, 4, 1])[0])
    return lines


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--megabytes", type=float, default=1.)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--shop", type=int, default=7)
    p.add_argument("--start", type=datetime.datetime.fromisoformat, default=datetime.datetime(2025, 3, 1))
    a = p.parse_args()
    shop, r = Shop(a.shop), random.Random(f"log {a.seed}")
    now, waiting, left = 0., [], a.megabytes * 1e6
    while left > 0:
        now += r.expovariate(.12)
        waiting += request(shop, r, now)
        waiting.sort(key=lambda x: x[0])
        while waiting and waiting[0][0] < now - 3 and left > 0:
            t, fields = waiting.pop(0)
            ts = (a.start + datetime.timedelta(seconds=t)).isoformat(timespec="milliseconds") + "Z"
            text = json.dumps({"ts": ts, **fields}, separators=(",", ":")) + "\n"
            left -= len(text)
            sys.stdout.write(text)


main()
