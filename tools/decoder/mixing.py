#!/usr/bin/env python3
"""The bytes mode of docs/mixing.md in plain Python, written from that page.

    tools/decoder/mixing.py CODED LENGTH SIZE > RAW

decodes LENGTH bytes, coded with tables for 2^SIZE bytes. No format holds such bytes yet: this checks that the page
says enough (tests/mixing.py beside it compares with what the Rust code wrote).
"""

import sys

M32 = 0xFFFFFFFF
FINE = 12 * 2**16 - 1
NAT = 11629080


def clamp(x, low, high):
    return max(low, min(high, x))


def saturate(x):
    return clamp(x, -(2**31), 2**31 - 1)


def hash2(a, b):
    h = (a * 0x9E3779B1 & M32) ^ ((b + 0x7F4A7C15) * 0x85EBCA6B & M32)
    h ^= h >> 15
    h = h * 0xC2B2AE35 & M32
    return h ^ h >> 13


def log2_24(x):
    if x == 0:
        return 0
    e = x.bit_length() - 1
    m, log = x << (63 - e), e
    for _ in range(24):
        s = m * m >> 63
        b = s >> 64
        m = s >> b
        log = log << 1 | b
    return log


def squash_table():
    table = [2**21] * 1537
    power = 2**40
    for k in range(1, 769):
        power = (power * 1171077376484718872 + 2**59) >> 60
        p = ((power << 22) + (2**40 + power) // 2) // (2**40 + power)
        table[768 + k], table[768 - k] = p, 2**22 - p
    return table


SQUASH = squash_table()
STRETCH = [((log2_24(2 * i + 1) - log2_24(8191 - 2 * i)) * NAT + 2**39) >> 40 for i in range(4096)]
LOG = [(log2_24(1024 + m) - (10 << 24) + 128) >> 8 for m in range(1024)]


def squash(x):
    t = x + 12 * 2**16
    i, f = t >> 10, t & 1023
    return SQUASH[i] + ((SQUASH[i + 1] - SQUASH[i]) * f >> 10)


def log2_16(x):
    x |= 1
    n = x.bit_length() - 1
    m = x >> (n - 10) if n >= 10 else x << (10 - n)
    return (n << 16) + LOG[m & 1023]


def ratio(zeros, ones):
    return clamp(((log2_16(ones) - log2_16(zeros)) * NAT + 2**31) >> 32, -3071, 3071)


def stretch16(p):
    return ratio(131071 - 2 * p, 2 * p + 1)


BOUND = [20, 48, 15, 8, 6, 5]


def variants(n0, n1):
    more, less = max(n0, n1), min(n0, n1)
    if less > 5 or more > BOUND[less]:
        return 0
    return 2 if less > 0 and n0 + n1 <= 17 else 1


def joined(same, other):
    same += 1
    other = sum(n <= other for n in (1, 2, 3, 4, 5, 7, 8))
    while variants(same, other) == 0:
        more, less, swapped = (same, other, False) if same >= other else (other, same, True)
        if less < 2:
            more -= 1
        else:
            more = (more * (less - 1) + less // 2) // less
            less -= 1
        same, other = (less, more) if swapped else (more, less)
    return same, other


def states():
    first, counts = {}, []
    for total in range(50):
        for n1 in range(total + 1):
            first[total - n1, n1] = len(counts)
            counts += [(total - n1, n1)] * variants(total - n1, n1)
    after = []
    for n0, n1 in counts:
        zero = first[joined(n0, n1)]
        b, a = joined(n1, n0)
        after.append((zero, first[a, b] + variants(a, b) - 1))
    empty = 256 - len(counts)
    return counts + [(0, 0)] * empty, after + [(0, 0)] * empty


COUNTS, NEXT = states()


class Bank:
    """Section 4, for bits only."""

    def __init__(self, contexts, bits, direct):
        self.mask = 2**bits - 1
        self.direct = direct
        self.tables = [{} for _ in range(contexts)]
        entry = [[min((10 * n1 + 4 << 22) // (10 * (n0 + n1) + 8), 2**22 - 1), 0] for n0, n1 in COUNTS]
        self.maps = [[[list(e) for e in entry] for _ in range(2)] for _ in range(contexts)]
        self.slots = []

    def select(self, hashes):
        self.slots = []
        for table, h in zip(self.tables, hashes):
            check, home = h >> 16 & 0xFFFF | 1, h & self.mask
            places = [home, home ^ 1, home ^ 2]
            for at in places:
                if at in table and table[at][0] == check:
                    break
            else:
                worth = [1 + sum(COUNTS[table[at][1][1]]) if at in table else 0 for at in places]
                at = places[worth.index(min(worth))]
                table[at] = (check, [0] * 16, [2**15] * 16)
            self.slots.append(table[at])

    def inputs(self, node, kind):
        out = []
        for (_, slot, direct), maps in zip(self.slots, self.maps):
            state = slot[node]
            out.append(STRETCH[maps[kind][state][0] >> 10] if state else 0)
            if self.direct:
                out.append(STRETCH[direct[node] >> 4] if state else 0)
        return out

    def learn(self, node, kind, bit):
        for (_, slot, direct), maps in zip(self.slots, self.maps):
            state = slot[node]
            entry = maps[kind][state]
            goal = (2**22 - 1) * bit
            entry[0] += (goal - entry[0]) * (131072 // (2 * entry[1] + 3)) >> 16
            entry[1] = min(entry[1] + 1, 255)
            m = min(sum(COUNTS[state]), 30)
            direct[node] += (65535 * bit - direct[node]) * (655360 // (10 * m + 16)) >> 16
            slot[node] = NEXT[state][bit]


class Map:
    """Section 5."""

    def __init__(self, contexts):
        point = [min(squash(clamp((j - 16) * 12 * 2**12, -FINE, FINE)) >> 6, 65535) for j in range(33)]
        self.points = [list(point) for _ in range(contexts)]

    def map(self, s, context):
        v = clamp(s, -3071, 3071) + 3072
        j, f = v // 192, v % 192 * 256 // 192
        row = self.points[context]
        self.at = row, j + (f >= 128)
        return clamp(row[j] * (256 - f) + row[j + 1] * f >> 8, 1, 65535)

    def learn(self, bit):
        row, j = self.at
        row[j] += (65598 - row[j] if bit else -row[j]) >> 6


class Mixer:
    """Section 6."""

    def __init__(self, sets, initial, seconds, first, last, second):
        self.sets = [[list(initial) for _ in range(n)] for n in sets]
        self.seconds = [[2**24 // len(sets)] * len(sets) for _ in range(seconds)]
        self.rate, self.last, self.second = first << 14, last << 14, second

    def mix(self, inputs, contexts, second):
        self.inputs = inputs
        self.rows = [rows[context] for rows, context in zip(self.sets, contexts)]
        self.row = self.seconds[second]
        half = len(inputs) // 2
        self.dots = []
        for row in self.rows:
            products = [x * (w >> 16) for x, w in zip(inputs, row)]
            dot = (sum(products[:half]) >> 4) + (sum(products[half:]) >> 4)
            self.dots.append(clamp(dot, -FINE, FINE))
        self.y = clamp(sum(d * v for d, v in zip(self.dots, self.row)) >> 24, -FINE, FINE)
        return self.y

    def learn(self, bit):
        goal, rate = bit << 22, self.rate >> 14
        t = ((goal - squash(self.y)) >> 6) * self.second >> 6
        for s, dot in enumerate(self.dots):
            self.row[s] = saturate(self.row[s] + ((dot >> 8) * t + 128 >> 8))
            u = clamp((goal - squash(dot)) * rate + 2**13 >> 14, -32767, 32767)
            if abs(u) < 32:
                continue
            row = self.rows[s]
            for i, x in enumerate(self.inputs):
                row[i] = saturate(row[i] + (x * u + 2 >> 2))
        self.rate -= self.rate - self.last >> 14


def bucket_of(n, doubt):
    if n < 16:
        bucket = n
    elif n < 32:
        bucket = 16 + (n - 16) // 4
    elif n < 64:
        bucket = 20 + (n - 32) // 8
    elif n < 512:
        bucket = 24 + (n - 64) // 64
    else:
        bucket = 31
    return min(1 + (bucket // 2 if doubt else bucket), 31)


def first_hit(bucket, expected):
    miss = 65536 * 3 // (10 * (1 + bucket))
    return 65535 - miss if expected else miss


class Match:
    """Sections 8 and 10."""

    def __init__(self, length, bits):
        self.length, self.shift = length, 32 - bits
        self.heads, self.hits = {}, [[first_hit(b, 0), first_hit(b, 1)] for b in range(32)]
        self.at = self.n = self.doubt = 0

    def push(self, history):
        n = len(history)
        if self.n:
            if history[self.at] == history[-1]:
                self.at += 1
                self.n = min(self.n + 1, 65535)
                if self.n > 16:
                    self.doubt = max(self.doubt - 1, 0)
            else:
                self.n, self.doubt = 0, 8
        if n >= self.length:
            tail = int.from_bytes(history[-self.length :], "big")
            slot = hash2(tail & M32, tail >> 32) >> self.shift
            candidate = self.heads.get(slot, 0)
            if not self.n and candidate:
                common = 0
                while common < min(48, candidate) and history[candidate - 1 - common] == history[n - 1 - common]:
                    common += 1
                if common >= self.length:
                    self.n, self.at = common, candidate
            self.heads[slot] = n

    def expects(self, history, bit, partial):
        self.used = None
        if self.n:
            byte = history[self.at] | 256
            if byte >> (8 - bit) == partial:
                self.used = bucket_of(self.n, self.doubt), byte >> (7 - bit) & 1
        return self.used

    def inputs(self):
        if not self.used:
            return [0, 0]
        hit = self.hits[self.used[0]][self.used[1]]
        return [stretch16(hit), hit - 32768 >> 5]

    def learn(self, bit):
        if self.used:
            row = self.hits[self.used[0]]
            row[self.used[1]] += 65535 * bit - row[self.used[1]] >> 6


class Decoder:
    """The range coder of docs/format.md, for bits."""

    def __init__(self, coded):
        self.coded, self.at, self.range, self.offset = coded, 0, 2**128 - 1, 0
        for _ in range(4):
            self.word()

    def word(self):
        word = self.coded[self.at : self.at + 4].ljust(4, b"\0")
        self.at += 4
        self.offset = (self.offset << 32 | int.from_bytes(word, "big")) % 2**128

    def code(self, one):
        scale = self.range >> 32
        split = scale * one
        bit = self.offset < split
        if bit:
            self.range = split
        else:
            self.offset -= split
            self.range = scale * (2**32 - one)
        if self.range < 2**96:
            self.range <<= 32
            self.word()
        return int(bit)


class Bytes:
    """Section 10."""

    def __init__(self, size):
        self.bank = Bank(11, clamp(size - 4, 8, 18), direct=False)
        bits = clamp(size, 10, 22)
        self.matches = [Match(8, bits), Match(5, bits)]
        self.mixer = Mixer([512, 256, 256, 256], [2**28 // 100 * 25] * 15 + [0], 256, 200, 60, 16)
        self.maps = [Map(4096), Map(4096)]
        self.history = bytearray()
        self.word = self.last_word = self.field = 0
        self.begin = self.before = 0  # of the line and the one before
        self.followed, self.followed2 = {}, {}
        self.seen = [[0, 0, 0] for _ in range(256)]
        self.candidates = [[0, 0] for _ in range(4)]
        self.length = 4

    def back(self, distance):
        return self.history[-distance] if distance <= len(self.history) else 0

    def contexts(self):
        n, length = len(self.history), self.length
        tail = int.from_bytes(self.history[-8:], "big")
        c4, c8 = tail & M32, tail >> 32
        c1 = c4 & 255
        up, up2 = self.back(length), self.back(2 * length)
        at = self.before + n - self.begin
        above = self.history[at] if at < self.begin else 0
        followed = self.followed.get(c1, 0)
        pair = self.followed2.get(c4 & 0xFFFF, 0)
        contexts = [
            c1,
            c4 & 0xFFFF,
            c4,
            hash2(c4, c8 & 0xFFFF),
            hash2(self.word, c1),
            hash2(hash2(self.word, self.last_word), c1),
            c4 & 0xFFFF00,
            hash2(up | up2 << 8, n % length),
            hash2(up | c1 << 8, length),
            hash2(above | c1 << 8, self.field),
            hash2(followed | c1 << 16, pair & 255),
        ]
        return [hash2(context, i + 1) for i, context in enumerate(contexts)]

    def code(self, decoder):
        hashes = self.contexts()
        column = len(self.history) % self.length
        c1, c2c1 = self.back(1), self.back(2) << 8 | self.back(1)
        partial = 1
        for bit in range(8):
            if bit in (0, 4):
                self.bank.select([hash2(h, partial) for h in hashes] if bit else hashes)
            node = partial if bit < 4 else 1 << (bit - 4) | partial & ((1 << (bit - 4)) - 1)
            long, short = (match.expects(self.history, bit, partial) for match in self.matches)
            by_match = 0
            if long:
                by_match = 1 + long[0] // 2 * 2 + long[1]
            elif short:
                by_match = 40 + short[0] // 4 * 2 + short[1]
            inputs = self.matches[0].inputs() + self.matches[1].inputs() + self.bank.inputs(node, 0) + [0]
            rows = [by_match * 8 + bit, partial, c1, min(column, 255)]
            y = self.mixer.mix(inputs, rows, partial)
            m = self.maps[0].map(y >> 8, hash2(c1, partial) % 4096)
            m += self.maps[1].map(y >> 8, hash2(c2c1, partial) % 4096)
            p = clamp((squash(y) + (m << 5)) // 2, 2, 2**22 - 2)
            got = decoder.code(p << 10)
            for part in (self.mixer, *self.maps, *self.matches):
                part.learn(got)
            self.bank.learn(node, 0, got)
            partial = partial << 1 | got
        self.push(partial & 255)

    def push(self, byte):
        c1, pair = self.back(1), self.back(2) << 8 | self.back(1)
        for followed, context in ((self.followed, c1), (self.followed2, pair)):
            followed[context] = (followed.get(context, 0) << 8 | byte) & 0xFFFF
        self.history.append(byte)
        n = len(self.history)
        if byte >= 128 or chr(byte).isalnum():
            self.word = hash2(self.word + 1 & M32, byte)
        else:
            if self.word:
                self.last_word, self.word = self.word, 0
            self.field += chr(byte) in ' ,\t;:|="'
        if byte == 10:
            self.before, self.begin, self.field = self.begin, n, 0
        self.find_records(byte, n)
        for match in self.matches:
            match.push(self.history)

    def find_records(self, byte, n):
        s0, s1, s2 = self.seen[byte]
        self.seen[byte] = [n, s0, s1]
        distance = n - s0
        if not (distance == s0 - s1 == s1 - s2 and 2 <= distance <= 4096):
            return
        candidate = next((c for c in self.candidates if c[0] == distance), None)
        if candidate is None:
            candidate = min(self.candidates, key=lambda c: c[1])
            candidate[:] = [distance, 0]
        candidate[1] += 1
        if candidate[1] > 12:
            self.length = distance
            for c in self.candidates:
                c[1] //= 2


def decode_bytes(coded, length, size):
    model, decoder = Bytes(size), Decoder(coded)
    for _ in range(length):
        model.code(decoder)
    return bytes(model.history)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        coded = file.read()
    sys.stdout.buffer.write(decode_bytes(coded, int(sys.argv[2]), int(sys.argv[3])))


if __name__ == "__main__":
    main()
