# SPDX-License-Identifier: MIT
"""From runs to rows and tables.

A row's figure is the median of its good runs, its range goes from the lowest
to the highest; a ratio is made within a round, with the limit measured in the
same round, and the median of those is shown.  Two candidates whose ranges
overlap are within noise: neither is called the faster.
"""
import statistics


# The limits that a question is compared with.
BESIDE = {"limit": (), "round-trip": ("F", "L2"), "stream": ("S", "Z", "X")}


def value(cell, run):
    """The figure that a run is about: us, million/s or GB/s; L2 in ns."""
    if cell.name == "L2":
        return 1e9 * run["seconds"] / run["messages"]
    if cell.name in ("Z", "X"):
        return run["messages"] * run["size"] / run["seconds"] / 1e9
    if cell.name == "S" or cell.question == "stream":
        return run["messages"] / run["seconds"] / 1e6
    return run["p50_ns"] / 1e3


def chosen(cell, good_min):
    """The runs that count, and whether they are the good ones only."""
    good = [r for r in cell.runs if r["good"]]
    return (good, True) if len(good) >= good_min else (cell.runs, False)


def spread(values):
    return {"median": statistics.median(values), "low": min(values),
            "high": max(values)}


def per_million(runs):
    """CPU seconds of both sides for a million messages."""
    return statistics.median(1e6 * sum(r["cpu_s"]) / r["messages"]
                             for r in runs)


def ratios(cell, runs, limit, good_min, factor=1.0):
    """Figure over limit, each within its own round; None without a limit."""
    of_round = {r["round"]: value(limit, r)
                for r in chosen(limit, good_min)[0]}
    found = [factor * value(cell, r) / of_round[r["round"]]
             for r in runs if of_round.get(r["round"])]
    return round(statistics.median(found), 3) if found else None


def row(cell, limits, good_min):
    runs, clean = chosen(cell, good_min)
    clean = clean and all(chosen(limits[x], good_min)[1]
                          for x in BESIDE[cell.question])
    r = {"question": cell.question, "name": cell.name, "size": cell.size,
         "spins": cell.spins, "skipped": cell.skipped, "clean": clean,
         "good": len([x for x in cell.runs if x["good"]]),
         "runs": cell.runs}
    if not runs:
        return r
    r.update(spread([value(cell, x) for x in runs]))
    r["cpu_s_per_million"] = per_million(runs)
    r["switches_per_message"] = statistics.median(
        sum(x["switches"]) / x["messages"] for x in runs)
    if cell.question == "round-trip":
        r["of_F"] = ratios(cell, runs, limits["F"], good_min)
        r["of_L2"] = ratios(cell, runs, limits["L2"], good_min, 1e3)
        for p in ("p99_ns", "p999_ns"):
            r[p] = statistics.median(x[p] for x in runs)
        r["samples"] = min(x["messages"] for x in runs)
    if cell.question == "stream":
        r["gb_s"] = r["median"] * cell.size / 1e3
        r["bytes_limit"] = "Z" if "in place" in cell.name else "X"
        r["of_S"] = ratios(cell, runs, limits["S"], good_min)
        r["of_bytes"] = ratios(cell, runs, limits[r["bytes_limit"]],
                               good_min, cell.size / 1e3)
    return r


def verdict(rows, more_is_better):
    """The fastest of one size, or those between which noise decides.

    One that spins is not compared with those that sleep."""
    rows = [r for r in rows if "median" in r and not r["spins"]]
    if len(rows) < 2 or min(len(r["runs"]) for r in rows) < 3:
        return None     # nothing to compare, or no idea of the noise
    pick = max if more_is_better else min
    best = pick(rows, key=lambda r: r["median"])
    near = [r["name"] for r in rows
            if r["low"] <= best["high"] and best["low"] <= r["high"]]
    if len(near) == 1:
        return ("fastest asleep: %s" % best["name"]
                if all(r["clean"] for r in rows)
                else "not decided: other load (!)")
    return "within noise asleep: %s" % "; ".join(near)


def summarise(cells, idle, facts, good_min):
    limits = {c.name: c for c in cells if c.question == "limit"}
    rows = [row(c, limits, good_min) for c in cells]
    verdicts = []
    for question in ("round-trip", "stream"):
        for size in sorted({r["size"] for r in rows
                            if r["question"] == question}):
            text = verdict([r for r in rows if r["question"] == question and
                            r["size"] == size], question == "stream")
            if text:
                verdicts.append({"question": question, "size": size,
                                 "verdict": text})
    return {"machine": facts, "rows": rows, "verdicts": verdicts,
            "idle": idle.runs[0]}


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
    return "%6s %6s  %8.2f %17s %9.1f %9s %8.2f %6.2f" % (
        ratio(r["of_F"]), ratio(r["of_L2"]), r["median"],
        "%.2f to %.2f" % (r["low"], r["high"]),
        r["p99_ns"] / 1e3, tail, r["cpu_s_per_million"],
        r["switches_per_message"])


def stream_line(r):
    return "%6s %8s  %8.3f %17s %9.3f %8.3f %6.2f" % (
        ratio(r["of_S"]), "%s %s" % (ratio(r["of_bytes"]), r["bytes_limit"]),
        r["median"], "%.3f to %.3f" % (r["low"], r["high"]), r["gb_s"],
        r["cpu_s_per_million"], r["switches_per_message"])


def table(result, question, title, header, line):
    rows = [r for r in result["rows"] if r["question"] == question]
    print("\n" + title)
    print("  %6s %-31s%s" % ("size", "", header))
    for size in sorted({r["size"] for r in rows}):
        for r in (r for r in rows if r["size"] == size):
            text = ("skipped: %s" % r["skipped"] if "median" not in r
                    else line(r) + ("" if r["clean"] else "  !"))
            print("  %6d %-31s%s" % (size, r["name"], text))
        for v in result["verdicts"]:
            if v["question"] == question and v["size"] == size:
                print("  %6s %s" % ("", v["verdict"]))


def idle_table(idle):
    seconds = idle["seconds"]
    print("\nIdle: %d receivers asleep on one mailbox for %.1f s" % (
        idle["count"], seconds))
    print("  %.4f %% of one CPU, %.1f context switches a second, together" % (
        100 * idle["cpu_s"][0] / seconds, idle["switches"][0] / seconds))


def tables(result):
    for line in machine_lines(result["machine"]):
        print(line)
    limit_table([r for r in result["rows"] if r["question"] == "limit"])
    table(result, "round-trip",
          "Round trip (times in us; CPU: seconds of both sides a million; "
          "sleeps a trip)",
          "%6s %6s  %8s %17s %9s %9s %8s %6s" % (
              "p50/F", "p50/L2", "p50", "range of p50", "p99", "p99.9",
              "CPU", "sleeps"), round_trip_line)
    table(result, "stream",
          "Stream, one sender, one receiver (million messages a second; "
          "CPU and sleeps as above)",
          "%6s %8s  %8s %17s %9s %8s %6s" % (
              "of S", "of X, Z", "M/s", "range", "GB/s", "CPU", "sleeps"),
          stream_line)
    idle_table(result["idle"])
    if not all(r["clean"] for r in result["rows"] if "median" in r):
        print("\n!  too few runs without other load: all were used")
