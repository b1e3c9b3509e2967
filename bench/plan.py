# SPDX-License-Identifier: MIT
"""What is measured: which questions, of whom, at which sizes."""

SIZES = (8, 64, 1024, 4096, 65536, 1048576)
FULL = (1, 8, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
WORD = 8                # what a payload is made of
IN_PLACE = 65536        # from this size on messages in place have a row
BLOCK = 65536           # the size of Z and X
MANY = (1, 2, 4)        # so many senders, and as many receivers
MANY_SIZE = 64
FAN = (1, 4, 16)        # so many subscribers of one publisher


class Candidate:
    """A row of the tables.

    `kind`: the mailbox is "shipped" (its waits as they are without a knob),
    "sleeps" or "spins"; "channel", "kernel" and "library" are the others.  Only what
    sleeps is compared with what sleeps; what is shipped is compared with the
    kernel's, for between these a user chooses."""

    def __init__(self, name, peer, kind, env=None, in_place=False, many=False):
        self.name, self.peer, self.kind = name, peer, kind
        self.env, self.in_place, self.many = env or {}, in_place, many


CANDIDATES = (
    Candidate("mailbox, as shipped", "mailbox", "shipped", {}, True, True),
    Candidate("mailbox, asleep", "mailbox", "sleeps", {"FERRY_SPIN_US": "0"},
              True, True),
    Candidate("mailbox, spins 20 us", "mailbox", "spins",
              {"FERRY_SPIN_US": "20"}, True, True),
    Candidate("channel, as shipped", "channel", "channel", {}, True),
    Candidate("channel, asleep", "channel", "channel",
              {"FERRY_SPIN_US": "0"}),
    Candidate("pipe", "pipe", "kernel", many=True),
    Candidate("UNIX stream", "unix", "kernel"),
    Candidate("UNIX seqpacket", "seqpacket", "kernel", many=True),
    Candidate("POSIX mq", "mq", "kernel", many=True),
)
# With --peers.  libqb's sender has no wait for a full ring: it yields, and so
# does iceoryx's.
LIBRARIES = (
    Candidate("libqb ring", "libqb", "library", in_place=True),
    Candidate("Boost message_queue", "boost", "library", many=True),
    Candidate("ZeroMQ", "zeromq", "library", many=True),
    Candidate("nng", "nng", "library"),
    Candidate("nanomsg", "nanomsg", "library"),
    Candidate("iceoryx", "iceoryx", "library", in_place=True),
)


# The kernel's own ways, and what each costs through Ferry.
LAYER_SIZES = (64, 1024, 4096, 65536, 1048576)
LAYER = tuple(
    (Candidate(name, peer, "raw"),
     Candidate(name + " through Ferry", "ferry_" + peer, "layer"),
     Candidate(name + ", asleep", "ferry_" + peer, "layer",
               {"FERRY_SPIN_US": "0"}))
    for name, peer in (("pipe", "pipe"), ("UNIX stream", "unix"),
                       ("UNIX seqpacket", "seqpacket"), ("TCP", "tcp")))


class Cell:
    """One question to one candidate at one size, and what it answered."""

    def __init__(self, question, name, program, size=64, args=(), kind="limit",
                 env=None, count=0):
        self.question, self.name, self.size = question, name, size
        self.program, self.kind, self.count = program, kind, count
        self.args = ["--size", str(size), *args]
        self.env = env or {}
        self.runs = []          # one a round and try, the bad ones too
        self.skipped = None


def limits():
    return [
        Cell("limit", "L2", "limit_round_trip"),
        Cell("limit", "F", "limit_futex"),
        Cell("limit", "S", "limit_stream"),
        Cell("limit", "Z", "limit_bytes", BLOCK, ["--in-place"]),
        Cell("limit", "X", "limit_bytes", BLOCK),
    ]


def pairs(question, program, sizes, candidates, touch=True):
    cells = []
    for size in sizes:
        if touch and question == "round-trip" and size >= WORD:
            cells.append(Cell(question, "T: bytes touched, no queue",
                              "limit_touch", size))
        for c in candidates:
            cells.append(Cell(question, c.name, program, size,
                              ["--peer", c.peer], c.kind, c.env))
            if c.in_place and size >= IN_PLACE:
                cells.append(Cell(question, c.name + ", in place", program,
                                  size, ["--peer", c.peer, "--in-place"],
                                  c.kind, c.env))
    return cells


def crowds(counts, candidates):
    """Whoever can be shared, except spinners: there are too few CPUs."""
    return [Cell("many", c.name, "many", MANY_SIZE,
                 ["--peer", c.peer, "--count", str(n)], c.kind, c.env, n)
            for n in counts for c in candidates
            if c.many and c.kind != "spins"]


FANS = (
    Candidate("topic, subscribers block", "topic", "topic"),
    Candidate("topic, drop-old", "topic_lossy", "lossy topic"),
)


def fans(counts):
    """One publishes, every subscriber gets everything, or loses some."""
    return [Cell("fan", c.name, "fan", MANY_SIZE,
                 ["--peer", c.peer, "--count", str(n)], c.kind, c.env, n)
            for n in counts for c in FANS]


def layer(sizes):
    """Those that are compared next to each other."""
    ways = [c for way in LAYER for c in way]
    return (limits() + pairs("round-trip", "round_trip", sizes, ways, False) +
            pairs("stream", "stream", sizes, ways, False))


def layer_pairs(cells):
    """What is compared: (raw, through Ferry), at one size."""
    found = {(c.question, c.size, c.name): c for c in cells}
    return [(found[c.question, c.size, raw.name], c) for raw, *ours in LAYER
            for c in cells if c.name in [x.name for x in ours]]


def idle(receivers):
    """On one mailbox, and on as many."""
    count = ["--count", str(receivers)]
    return [Cell("idle", "one mailbox", "idle", args=count),
            Cell("idle", "a mailbox each", "idle", args=[*count, "--apart"])]


def smoke():
    """Every program and every candidate at least once."""
    return (plan((8, BLOCK), False, (2,), ()) +
            pairs("round-trip", "round_trip", (64,), LIBRARIES) +
            pairs("stream", "stream", (4096,), LIBRARIES) +
            crowds((3,), LIBRARIES) + fans((3,)) +
            [c for c in layer((BLOCK,)) if c.kind == "layer"])


def plan(sizes, peers, many=MANY, fan=FAN):
    """All cells of a round, in the order they are run."""
    candidates = CANDIDATES + (LIBRARIES if peers else ())
    return (limits() +
            pairs("round-trip", "round_trip", sizes, candidates) +
            pairs("stream", "stream", sizes, candidates) +
            crowds(many, candidates) + fans(fan))
