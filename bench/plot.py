# SPDX-License-Identifier: MIT
"""Latency and stream over size as one SVG, by gnuplot."""
import shutil
import subprocess
import sys

PANELS = (
    ("round-trip", "Round trip, median", "microseconds", "median", "left top"),
    ("stream", "Stream, one to one", "GB/s", "gb_s", "left top"),
)


def quoted(text):
    return "'%s'" % text.replace("'", "''")


def series(rows, question, figure):
    """Name -> [(size, figure)], in the order of the tables."""
    found = {}
    for r in rows:
        if r["question"] == question and "median" in r:
            found.setdefault(r["name"], []).append((r["size"], r[figure]))
    return found


def panel(rows, question, title, unit, figure, key):
    lines = series(rows, question, figure)
    out = ["set title %s" % quoted(title), "set ylabel %s" % quoted(unit),
           "set key %s font ',9'" % key]
    for i, points in enumerate(lines.values()):
        out.append("$%s%d << E" % (figure, i))
        out += ["%d %g" % point for point in points]
        out.append("E")
    out.append("plot " + ", ".join(
        "$%s%d with linespoints title %s" % (figure, i, quoted(name))
        for i, name in enumerate(lines)))
    return out


def facts(m):
    return "Ferry %s %s, %s, %s, %d CPUs%s, %s %s, %s; stolen %.1f %%, " \
        "others %.1f %%" % (
            m["ferry"], m["commit"], m["date"], m["cpu"], m["cpus"],
            " (virtual)" if m["virtual"] else "", m["kernel"], m["arch"],
            m["compiler"], 100 * m["stolen"], 100 * m["others"])


def write(result, path):
    gnuplot = shutil.which("gnuplot")
    if not gnuplot:
        print("bench: no plot: gnuplot is not there (Debian: gnuplot-nox)",
              file=sys.stderr)
        return
    script = [
        "set terminal svg size 1300,620 dynamic background 'white' "
        "font 'sans,11'", "set output %s" % quoted(path),
        "set multiplot layout 1,2 title %s font ',10'" % quoted(
            facts(result["machine"])),
        "set logscale x 2", "set logscale y 10", "set grid",
        "set xlabel 'bytes a message'", "set format x '2^{%L}'",
    ]
    for p in PANELS:
        script += panel(result["rows"], *p)
    script.append("unset multiplot")
    subprocess.run([gnuplot], input="\n".join(script) + "\n", text=True,
                   check=True)
