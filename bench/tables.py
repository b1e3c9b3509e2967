# SPDX-License-Identifier: MIT
"""Rows as tables: what a person reads."""


def ratio(x):
    return "-" if x is None else "%.3g" % x


def machine_lines(m):
    yield "Ferry %s %s, %s %s, %s" % (m["ferry"], m["commit"], m["compiler"],
                                      m["options"], m["date"])
    yield "%s %s, %s, %d CPUs%s%s, sides on CPU %d and %d%s" % (
        m["kernel"], m["arch"], m["cpu"], m["cpus"],
        " (virtual)" if m["virtual"] else "",
        ", governor " + m["governor"] if m["governor"] else "",
        m["pinned"][0], m["pinned"][1],
        ", which share a core" if m["shared_core"] else "")
    yield "%d runs, %d dropped; stolen %.1f %%, others %.1f %% of CPU" % (
        m["runs"], m["dropped"], 100 * m["stolen"], 100 * m["others"])


LIMITS = {
    "L2": ("ns", "two cache lines there and back, busy"),
    "F": ("us", "futex wake there and back, asleep"),
    "S": ("M lines/s", "cache lines streamed"),
    "Z": ("GB/s", "64 KiB blocks, written and read in place"),
    "X": ("GB/s", "64 KiB blocks, copied in and out"),
}


def limit_table(rows):
    print("\nLimits of this machine")
    for r in rows:
        unit, text = LIMITS[r["name"]]
        if "median" not in r:
            print("  %-3s skipped: %s" % (r["name"], r["skipped"]))
            continue
        print("  %-3s %9.4g %-9s (%.4g to %.4g)  %s%s" % (
            r["name"], r["median"], unit, r["low"], r["high"], text,
            "" if r["clean"] else "  !"))


def round_trip_line(r):
    tail = "%9.1f" % (r["p999_ns"] / 1e3) if r["samples"] >= 1000 else "-"
    return "%6s %6s %6s  %9.2f %19s %9.1f %9s %8.2f %6.2f" % (
        ratio(r["of_F"]), ratio(r["of_L2"]), ratio(r["of_T"]), r["median"],
        "%.2f to %.2f" % (r["low"], r["high"]),
        r["p99_ns"] / 1e3, tail, r["cpu_s_per_million"],
        r["switches_per_message"])


def stream_line(r):
    return "%6s %8s  %8.3f %17s %9.3f %8.3f %6.2f" % (
        ratio(r["of_S"]), "%s %s" % (ratio(r["of_bytes"]), r["bytes_limit"]),
        r["median"], "%.3f to %.3f" % (r["low"], r["high"]), r["gb_s"],
        r["cpu_s_per_million"], r["switches_per_message"])


def many_line(r):
    return "%6s  %8.3f %17s %8.3f %6.2f" % (
        ratio(r["of_S"]), r["median"],
        "%.3f to %.3f" % (r["low"], r["high"]), r["cpu_s_per_million"],
        r["switches_per_message"])


def fan_line(r):
    return "%6s  %8.3f %17s %9.0f %9.0f %7.1f %%" % (
        ratio(r["of_S"]), r["median"],
        "%.3f to %.3f" % (r["low"], r["high"]), r["publisher_ns"],
        r["subscriber_ns"], 100 * r["missed"])


RESULT = {"faster": "as shipped", "noise": "as shipped, within noise",
          "slower": "as shipped, SLOWER"}


def shipped_line(s):
    return "%s: %.2f (%.2f to %.2f) of the kernel's best, %s, at %.2f of its " \
        "CPU%s" % (RESULT[s["result"]], s["median"], s["low"], s["high"],
                   s["best"], s["cpu"], "" if s["clean"] else "  !")


def label(r):
    if r["question"] == "fan":
        return "1 to %d" % r["count"]
    return ("%d to %d" % (r["count"], r["count"]) if r["count"]
            else str(r["size"]))


def table(result, question, title, header, line):
    if all(v["question"] != question for v in result["verdicts"]):
        return
    print("\n" + title)
    print("  %8s %-31s%s" % (
        "" if question in ("many", "fan") else "size", "", header))
    for v in (v for v in result["verdicts"] if v["question"] == question):
        for r in (r for r in result["rows"] if r["question"] == question and
                  (r["size"], r["count"]) == (v["size"], v["count"])):
            text = ("skipped: %s" % r["skipped"] if "median" not in r
                    else line(r) + ("" if r["clean"] else "  !"))
            print("  %8s %-31s%s" % (label(r), r["name"], text))
        if v["verdict"]:
            print("  %8s %s" % ("", v["verdict"]))
        if v["shipped"]:
            print("  %8s %s" % ("", shipped_line(v["shipped"])))


def idle_table(rows):
    print("\nIdle: receivers asleep, all of them together")
    for r in rows:
        print("  %d on %s for %.1f s: %.4f %% of one CPU, %.1f context "
              "switches a second" % (
                  r["count"],
                  "as many mailboxes" if r["apart"] else "one mailbox",
                  r["seconds"], 100 * r["cpu_s"][0] / r["seconds"],
                  r["switches"][0] / r["seconds"]))


def place(v):
    size = "%s %d B" % (v["question"], v["size"])
    return size + (", %d to %d" % (v["count"], v["count"])
                   if v["count"] else "")


def shipped_summary(verdicts):
    """What a user wants to know: is it worth it everywhere?"""
    seen = [v for v in verdicts if v["shipped"]]
    of = {result: [place(v) for v in seen if v["shipped"]["result"] == result]
          for result in ("faster", "noise", "slower")}
    if not seen:
        return
    print("\nAs shipped, beside the best of the kernel's: faster at %d of %d, "
          "within noise at %d, slower at %d%s" % (
              len(of["faster"]), len(seen), len(of["noise"]),
              len(of["slower"]),
              "" if all(v["shipped"]["clean"] for v in seen) else "  !"))
    for result, text in (("noise", "within noise"), ("slower", "SLOWER")):
        if of[result]:
            print("  %s: %s" % (text, "; ".join(of[result])))


LAYER_RESULT = {"within": "within 10 %", "over": "OVER 10 %",
                "noise": "10 % lies within the noise"}


def layer_line(r):
    if "median" not in r:
        return "skipped: %s" % r["skipped"]
    return "%8.3f %18s %18s  %s%s" % (
        r["median"], "%.3f to %.3f" % tuple(r["quarters"]),
        "%.3f to %.3f" % (r["low"], r["high"]), LAYER_RESULT[r["result"]],
        "" if r["clean"] else "  !")


def layer_table(rows):
    """The question of each who has a pipe already."""
    for question, title in (("round-trip", "p50 of a round trip"),
                            ("stream", "time a message of a stream")):
        print("\nThrough Ferry over without: %s" % title)
        print("  %8s %-31s%8s %18s %18s" % (
            "size", "", "median", "half of the rounds", "all rounds"))
        for r in (r for r in rows if r["question"] == question):
            print("  %8d %-31s%s" % (r["size"], r["name"], layer_line(r)))
    done = [r for r in rows if "median" in r]
    print("\nWithin 10 %% at %d of %d, over at %d, %d within the noise" % (
        sum(r["result"] == "within" for r in done), len(done),
        sum(r["result"] == "over" for r in done),
        sum(r["result"] == "noise" for r in done)))


def tables(result):
    for line in machine_lines(result["machine"]):
        print(line)
    limit_table([r for r in result["rows"] if r["question"] == "limit"])
    table(result, "round-trip",
          "Round trip (times in us; CPU: seconds of both sides a million; "
          "sleeps a trip)",
          "%6s %6s %6s  %9s %19s %9s %9s %8s %6s" % (
              "p50/F", "p50/L2", "p50/T", "p50", "range of p50", "p99",
              "p99.9", "CPU", "sleeps"), round_trip_line)
    table(result, "stream",
          "Stream, one sender, one receiver (million messages a second; "
          "CPU and sleeps as above)",
          "%6s %8s  %8s %17s %9s %8s %6s" % (
              "of S", "of X, Z", "M/s", "range", "GB/s", "CPU", "sleeps"),
          stream_line)
    table(result, "many",
          "Many senders, as many receivers, 64 B (million messages a second, "
          "all together)",
          "%6s  %8s %17s %8s %6s" % (
              "of S", "M/s", "range", "CPU", "sleeps"), many_line)
    table(result, "fan",
          "One publisher, every subscriber gets every message, 64 B (million "
          "published a second; CPU ns of who publishes, and of who gets one)",
          "%6s  %8s %17s %9s %9s %9s" % (
              "of S", "M/s", "range", "publish", "deliver", "missed"),
          fan_line)
    if result["layer"]:
        layer_table(result["layer"])
    if result["idle"]:
        idle_table(result["idle"])
    shipped_summary(result["verdicts"])
    if not all(r["clean"] for r in result["rows"] if "median" in r):
        print("\n!  too few runs without other load: all were used")
