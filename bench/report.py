# SPDX-License-Identifier: MIT
"""From runs to rows and tables.

A row's figure is the median of its good runs, its range goes from the lowest
to the highest; a ratio is made within a round, with the limit measured in the
same round, and the median of those is shown.  Two candidates whose ranges
overlap are within noise: neither is called the faster.
"""
import statistics


# The limits that a question is compared with.
BESIDE = {"limit": (), "round-trip": ("F", "L2"), "stream": ("S", "Z", "X"),
          "many": ("S",), "fan": ("S",)}
LAYER_MAX = 1.10        # what a layer may cost
MORE_IS_BETTER = ("stream", "many", "fan")


def value(cell, run):
    """The figure that a run is about: us, million/s or GB/s; L2 in ns."""
    if cell.name == "L2":
        return 1e9 * run["seconds"] / run["messages"]
    if cell.name in ("Z", "X"):
        return run["messages"] * run["size"] / run["seconds"] / 1e9
    if cell.name == "S" or cell.question in MORE_IS_BETTER:
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


def fan_of(cell, runs):
    """What a publication costs who makes it, and what a delivery costs."""
    def median(of):
        return statistics.median(of(r) for r in runs)
    return {
        "publisher_ns": median(lambda r: 1e9 * r["cpu_s"][0] / r["messages"]),
        "subscriber_ns": median(lambda r: 1e9 * r["cpu_s"][1] /
                                max(r["deliveries"], 1)),
        "missed": median(lambda r: max(0, 1 - r["deliveries"] /
                                       (cell.count * r["messages"])))}


def by_round(cell, good_min):
    return {r["round"]: value(cell, r) for r in chosen(cell, good_min)[0]}


def ratios(cell, runs, limit, good_min, factor=1.0):
    """Figure over limit, each within its own round; None without a limit."""
    of_round = by_round(limit, good_min) if limit else {}
    found = [factor * value(cell, r) / of_round[r["round"]]
             for r in runs if of_round.get(r["round"])]
    return round(statistics.median(found), 3) if found else None


def row(cell, limits, good_min):
    runs, clean = chosen(cell, good_min)
    clean = clean and all(chosen(limits[x], good_min)[1]
                          for x in BESIDE[cell.question])
    r = {"question": cell.question, "name": cell.name, "size": cell.size,
         "count": cell.count,
         "kind": cell.kind, "skipped": cell.skipped, "clean": clean,
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
        r["of_T"] = (ratios(cell, runs, limits.get(("T", cell.size)), good_min)
                     if limits.get(("T", cell.size)) else None)
        for p in ("p99_ns", "p999_ns"):
            r[p] = statistics.median(x[p] for x in runs)
        r["samples"] = min(x["messages"] for x in runs)
    if cell.question in MORE_IS_BETTER:
        r["gb_s"] = r["median"] * cell.size / 1e3
        r["of_S"] = ratios(cell, runs, limits["S"], good_min)
    if cell.question == "fan":
        r.update(fan_of(cell, runs))
    if cell.question == "stream":
        r["bytes_limit"] = "Z" if "in place" in cell.name else "X"
        r["of_bytes"] = ratios(cell, runs, limits[r["bytes_limit"]],
                               good_min, cell.size / 1e3)
    return r


def verdict(rows, more_is_better):
    """The fastest of one group, or those between which noise decides.

    What spins, or may spin, is not compared with what sleeps."""
    rows = [r for r in rows if "median" in r and
            r["kind"] in ("sleeps", "kernel", "library")]
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


def beside_kernel(cells, rows, more_is_better, good_min):
    """What is shipped over the best of the kernel's, within each round.

    The best of each round is taken, whoever it was: this favours them."""
    shipped = next((c for c in cells if c.kind == "shipped" and c.runs and
                    "in place" not in c.name), None)
    kernel = [c for c in cells if c.kind == "kernel" and c.runs]
    if not shipped or not kernel:
        return None
    pick = max if more_is_better else min
    theirs = [by_round(c, good_min) for c in kernel]
    found = [v / pick(t[n] for t in theirs if n in t)
             for n, v in by_round(shipped, good_min).items()
             if any(n in t for t in theirs)]
    if len(found) < 3:
        return None     # no idea of the noise
    by_name = {r["name"]: r for r in rows}
    best = pick((by_name[c.name] for c in kernel), key=lambda r: r["median"])
    ours = by_name[shipped.name]
    s = spread(found)
    lost = s["high"] < 1 if more_is_better else s["low"] > 1
    won = s["low"] > 1 if more_is_better else s["high"] < 1
    return {**s, "best": best["name"], "clean": all(
                by_name[c.name]["clean"] for c in [shipped, *kernel]),
            "cpu": ours["cpu_s_per_million"] / max(
                best["cpu_s_per_million"], 1e-9),
            "result": "slower" if lost else "faster" if won else "noise"}


def layer(raw, ferry, good_min):
    """Ferry's figure over that without it, each within its own round, as a
    time: above 1 is slower."""
    of_raw = by_round(raw, good_min)
    found = [v / of_raw[n] for n, v in by_round(ferry, good_min).items()
             if n in of_raw]
    if raw.question in MORE_IS_BETTER:
        found = [1 / x for x in found]
    r = {"question": raw.question, "size": raw.size, "name": ferry.name,
         "skipped": raw.skipped or ferry.skipped}
    if not found:
        return r
    clean = chosen(raw, good_min)[1] and chosen(ferry, good_min)[1]
    found.sort()
    low, high = found[len(found) // 4], found[-1 - len(found) // 4]
    r.update(spread(found))
    r.update(rounds=len(found), quarters=(low, high), clean=clean,
             result="within" if high <= LAYER_MAX else
             "over" if low > LAYER_MAX else "noise")
    return r


def groups(cells):
    """Cells that stand together: of one question, size and count."""
    found = {}
    for c in cells:
        if c.question != "limit":
            found.setdefault((c.question, c.size, c.count), []).append(c)
    return found


def summarise(cells, idle, facts, good_min, compared=()):
    limits = {c.name: c for c in cells if c.question == "limit"}
    limits.update({("T", c.size): c for c in cells if c.name[:2] == "T:"})
    made = {id(c): row(c, limits, good_min) for c in cells}
    verdicts = []
    for (question, size, count), group in groups(cells).items():
        rows = [made[id(c)] for c in group]
        more = question in MORE_IS_BETTER
        verdicts.append({
            "question": question, "size": size, "count": count,
            "verdict": verdict(rows, more),
            "shipped": beside_kernel(group, rows, more, good_min)})
    return {"machine": facts, "rows": list(made.values()),
            "verdicts": verdicts, "idle": [c.runs[0] for c in idle],
            "layer": [layer(raw, ferry, good_min) for raw, ferry in compared]}
