"""docs/mixing.md in plain Python, written from that page: bytes by contexts alone (section 10), and text under a model
(section 9), whose weights the caller has. lmz_decode.py decodes mixed segments with it; test_mixing.py compares both with what
the Rust code wrote.
"""

from bisect import bisect_left
from itertools import accumulate

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

    def __init__(self, size, version=2):
        self.version = version
        self.bank = Bank(10 + version, clamp(size - 4, 8, 18), direct=False)
        bits = clamp(size, 10, 22)
        self.matches = [Match(8, bits), Match(5, bits)]
        self.mixer = Mixer([512, 256, 256, 256], [2**28 // 100 * 25] * (14 + version) + [0] * (2 - version), 256, 200, 60, 16)
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
        if self.version > 1:
            contexts.append(n % length)
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
            inputs = self.matches[0].inputs() + self.matches[1].inputs() + self.bank.inputs(node, 0) + [0] * (2 - self.version)
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


def decode_bytes(coded, length, size, version=2):
    model, decoder = Bytes(size, version), Decoder(coded)
    for _ in range(length):
        model.code(decoder)
    return bytes(model.history)


# ---- Section 9: text ----------------------------------------------------------------------------

class Walk:
    """The places of tokens in the order of their bytes, and the decisions on the way to one."""

    def __init__(self, tokens, escape_shift):
        self.order = sorted(range(len(tokens)), key=lambda token: (tokens[token], token))
        self.bytes = [bytes(tokens[token]) for token in self.order]
        self.place = {token: place for place, token in enumerate(self.order)}
        self.escape_shift = escape_shift

    def steps(self, decide):
        """Walks to a place: `decide(kind, j, bit, partial, known bytes, low, middle, high)` says what comes, kind is
        "twin", "end" or "bit"."""
        low, high, j, spellings = 0, len(self.order), 0, self.bytes
        while high - low > 1:
            known = spellings[low][:j]
            if j and len(spellings[low]) == j:
                m = bisect_left(range(low, high), True, key=lambda place: len(spellings[place]) > j)
                if m == high - low:
                    middle = low + m // 2
                    low, high = (middle, high) if decide("twin", j, 0, 1, known, low, middle, high) else (low, middle)
                    continue
                if not decide("end", j, 0, 1, known, low, low + m, high):
                    high = low + m
                    continue
                low += m
            partial = 1
            for bit in range(8):
                middle = low + bisect_left(range(low, high), 1, key=lambda place: spellings[place][j] >> (7 - bit) & 1)
                if middle == low or middle == high:
                    got = int(middle == low)
                else:
                    got = decide("bit", j, bit, partial, known, low, middle, high)
                    low, high = (middle, high) if got else (low, middle)
                    if high - low == 1:
                        return low
                partial = partial << 1 | got
            j += 1
        return low


class History:
    """The blocks' bytes, and where tokens begin."""

    def __init__(self):
        self.blocks, self.finished = [], 0

    def begin_round(self, lanes):
        self.finished = len(self.blocks)
        self.blocks += [[] for _ in range(lanes)]

    def behind(self, place):
        """The bytes that are known to follow a place, with whether a token begins at each: at most 32."""
        block, offset = place
        found = self.blocks[block][offset:offset + 32]
        while len(found) < 32 and block < self.finished and block + 1 < len(self.blocks):
            block += 1
            found = found + self.blocks[block][:32 - len(found)]
        return found

    def further(self, place, n):
        block, offset = place[0], place[1] + n
        while offset >= len(self.blocks[block]) and block < self.finished and block + 1 < len(self.blocks):
            offset -= len(self.blocks[block])
            block += 1
        return block, offset

    def before(self, place):
        """The up to 32 bytes before a place, the last first."""
        block, offset = place
        found = self.blocks[block][max(offset - 32, 0):offset][::-1]
        while len(found) < 32 and 0 < block <= self.finished:
            block -= 1
            found = found + self.blocks[block][::-1][:32 - len(found)]
        return [byte for byte, _ in found]


class TextMatch:
    """A match of a lane."""

    def __init__(self):
        self.place, self.n, self.doubt, self.ahead = None, 0, 0, []

    def expects(self, known, kind, bit, partial):
        """Bucket and bit, or nothing."""
        j = len(known)
        if not self.n or bytes(byte for byte, _ in self.ahead[:j]) != known:
            return None
        if kind == "end":
            if j == 32:
                return None
            expected = int(j < len(self.ahead) and not self.ahead[j][1])
        else:
            if j == len(self.ahead):
                return None
            byte = self.ahead[j][0] | 256
            if byte >> (8 - bit) != partial:
                return None
            expected = byte >> (7 - bit) & 1
        return bucket_of(self.n + j, self.doubt), expected

    def commit(self, symbol, history):
        if not self.n:
            return
        if bytes(byte for byte, _ in self.ahead[:len(symbol)]) == symbol:
            self.n = min(self.n + len(symbol), 65535)
            self.place = history.further(self.place, len(symbol))
            if self.n > 16:
                self.doubt = 0
        else:
            self.n, self.doubt = 0, 8


class TextMatches:
    """One of the two match models: what the lanes share."""

    def __init__(self, length, bits):
        self.length, self.shift, self.heads = length, 32 - bits, {}
        self.hits = [[[first_hit(bucket, 0), first_hit(bucket, 1)] for _ in range(2)] for bucket in range(32)]

    def see(self, tail, place, match, history):
        """A byte has come, and `tail` are the last 16; `match` is given where one may begin."""
        if len(tail) < self.length:
            return
        number = int.from_bytes(tail[-self.length:], "big")
        b = [number >> 32 * i & M32 for i in range(4)]
        slot = hash2(hash2(b[0], b[1]), b[2] ^ b[3]) >> self.shift
        candidate = self.heads.get(slot)
        if match and not match.n and candidate:
            same = 0
            for x, y in zip(history.before(candidate), history.before(place)):
                if x != y:
                    break
                same += 1
            if same >= self.length:
                match.n, match.place, match.doubt = same, candidate, max(match.doubt - 1, 0)
        self.heads[slot] = place


class Lane:
    def __init__(self):
        self.tail, self.word, self.last_word, self.tokens = b"", 0, 0, [0, 0, 0]
        self.line, self.above = bytearray(), bytearray()
        self.matches = [TextMatch(), TextMatch()]

    def push(self, byte):
        self.tail = (self.tail + bytes([byte]))[-16:]
        if byte >= 128 or chr(byte).isalpha() or byte == 95:
            self.word = hash2(self.word + 1 & M32, byte | 32 if 65 <= byte <= 90 else byte)
        else:
            if self.word:
                self.last_word = self.word
            self.word = 0
            if byte != 32:
                self.last_word = hash2(self.last_word, byte)
        if byte == 10:
            self.line, self.above = bytearray(), self.line
        elif len(self.line) < 4096:
            self.line.append(byte)


def text_contexts(lane, known):
    """The hashes at a byte's boundary, where `known` are the symbol's bytes so far."""
    j, prefix = len(known), 0
    for byte in known:
        prefix = hash2(prefix + 1 & M32, byte)
    tail = int.from_bytes((lane.tail + known)[-6:], "big")
    c4, c65 = tail & M32, tail >> 32
    column = len(lane.line) + j
    above = lane.above[column] if column < len(lane.above) else 0
    t1, t2, t3 = lane.tokens
    two = hash2(hash2(t1, t2 * 0x9E3779B1 & M32), prefix)
    contexts = [
        c4 & 0xFF,
        c4 & 0xFFFF,
        c4 & 0xFFFFFF,
        c4,
        hash2(c4, c65),
        hash2(lane.word, prefix),
        hash2(hash2(lane.word, lane.last_word), prefix),
        hash2(t1, prefix),
        two,
        hash2(two, t3),
        hash2(above | min(column, 255) << 8, c4 & 0xFF),
        hash2(lane.last_word, prefix),
    ]
    return [hash2(context + (i + 1) * 0x3D4D51CB & M32, min(j, 7) + 1) for i, context in enumerate(contexts)]


class Text:
    """What is learnt from a text's symbols. `weights` are the model's, by token."""

    def __init__(self, walk, size):
        self.walk = walk
        self.bank = Bank(12, clamp(size - 3, 8, 17), direct=True)
        bits = clamp(size, 10, 20)
        self.matches = [TextMatches(12, bits), TextMatches(5, bits)]
        initial = [2**28 // 10 * 4] + [2**28 // 10 * 3] * 2 + [2**28 // 50] * 29
        self.mixer = Mixer([192, 257, 768, 768, 60], initial, 60, 84, 84, 8)
        self.plain, self.likely, self.last, self.last_pair = Map(1024), Map(4096), Map(4096), Map(16384)
        self.history, self.lanes = History(), []

    def begin_round(self, lanes):
        before = self.lanes[-1] if self.lanes else Lane()
        self.first_block = len(self.history.blocks)
        self.history.begin_round(lanes)
        self.lanes = [before] + [Lane() for _ in range(lanes - 1)]

    def begin_symbol(self, lane):
        self.hashes = self.slots_for = None
        for match in lane.matches:
            if match.n:
                match.ahead = self.history.behind(match.place)

    def select(self, lane, bit, partial, known):
        """Brings the bank to a decision; the decision's node."""
        if self.hashes is None or self.hashes[0] != known:
            self.hashes, self.slots_for = (known, text_contexts(lane, known)), None
        low = bit >= 4
        if self.slots_for != low:
            hashes = self.hashes[1]
            self.bank.select([hash2(h, partial >> (bit - 4)) for h in hashes] if low else hashes)
            self.slots_for = low
        return 1 << (bit - 4) | partial & ((1 << (bit - 4)) - 1) if low else partial

    def decide(self, lane, decoder, kind, bit, partial, known, view, likely):
        node = self.select(lane, bit, partial, known)
        end, j, start = int(kind == "end"), len(known), int(not known)
        node = 0 if end else node
        what = 256 if end else partial
        place = 0 if end else 2 - start
        kinds = 2 if end else start
        pair = int.from_bytes((lane.tail + known)[-2:], "big")
        c1 = pair & 255
        expected = [match.expects(known, kind, bit, partial) for match in lane.matches]
        inputs = [view, stretch16(self.plain.map(view, what + 512 * (1 - start)))]
        inputs.append(stretch16(self.likely.map(view, hash2(likely, what + 1024 * j) % 4096)))
        used = []
        for e, matches in zip(expected, self.matches):
            if e:
                used.append((matches.hits[e[0]][end], e[1]))
                hit = used[-1][0][e[1]]
                inputs += [stretch16(hit), hit - 32768 >> 5]
            else:
                inputs += [0, 0]
        inputs += self.bank.inputs(node, end) + [256]
        by_match = 0
        for e, base, step in zip(expected, (1, 40), (2, 4)):
            if e:
                by_match = base + e[0] // step * 2 + (e[1] == (view > 0))
                break
        states = [slot[node] != 0 for _, slot, _ in self.bank.slots]
        seen = (4 * sum(states[1:5]) + sum(states[7:10])) * 3 + place
        rows = [by_match * 3 + place, what, c1 + 256 * kinds, likely % 256 + 256 * place, seen]
        y = self.mixer.mix(inputs, rows, seen)
        m = self.last.map(y >> 8, hash2(c1, what + 512 * start) % 2**12)
        m += self.last_pair.map(y >> 8, hash2(pair, what + 512 * start) % 2**14)
        got = decoder.code(clamp((squash(y) + (m << 5)) // 2, 2, 2**22 - 2) << 10)
        for part in (self.mixer, self.plain, self.likely, self.last, self.last_pair):
            part.learn(got)
        for row, bit in used:
            row[bit] += 65535 * got - row[bit] >> 6
        self.bank.learn(node, end, got)
        return got

    def code(self, number, weights, decoder):
        """The next symbol of a lane: (token, its bytes), or (None, the byte) for an escape."""
        walk, lane = self.walk, self.lanes[number]
        self.begin_symbol(lane)
        by_place = [weights[token] for token in walk.order]
        likely = by_place.index(max(by_place))
        sums = [0, *accumulate(w + 1 for w in by_place)]
        if walk.escape_shift and alone(ratio(sums[-1], (sums[-1] >> walk.escape_shift) + 1), decoder):
            partial = 1
            for bit in range(8):
                partial = partial << 1 | self.decide(lane, decoder, "bit", bit, partial, b"", 0, likely)
            symbol = bytes([partial & 255])
            self.commit(number, symbol, len(walk.order))
            return None, symbol

        def decide(kind, j, bit, partial, known, low, middle, high):
            view = ratio(sums[middle] - sums[low], sums[high] - sums[middle])
            if kind == "twin":
                return alone(view, decoder)
            return self.decide(lane, decoder, kind, bit, partial, known, view, likely)

        place = walk.steps(decide)
        self.commit(number, walk.bytes[place], place)
        return walk.order[place], walk.bytes[place]

    def teach(self, number, token):
        lane, wanted = self.lanes[number], self.walk.place[token]
        self.begin_symbol(lane)

        def decide(kind, j, bit, partial, known, low, middle, high):
            got = int(wanted >= middle)
            if kind != "twin":
                node = self.select(lane, bit, partial, known)
                self.bank.learn(0 if kind == "end" else node, int(kind == "end"), got)
            return got

        place = self.walk.steps(decide)
        self.commit(number, self.walk.bytes[place], place)

    def commit(self, number, symbol, place):
        lane, block = self.lanes[number], self.history.blocks[self.first_block + number]
        begin = len(block)
        block += [(byte, i == 0) for i, byte in enumerate(symbol)]
        for match in lane.matches:
            match.commit(symbol, self.history)
        for i, byte in enumerate(symbol):
            lane.push(byte)
            last = i + 1 == len(symbol)
            for matches, match in zip(self.matches, lane.matches):
                matches.see(lane.tail, (self.first_block + number, begin + i + 1), match if last else None, self.history)
        lane.tokens = [place + 1, *lane.tokens[:2]]


def alone(view, decoder):
    return decoder.code(clamp(squash(view << 8), 2, 2**22 - 2) << 10)

