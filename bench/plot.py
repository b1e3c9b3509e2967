# SPDX-License-Identifier: MIT
"""Latency and stream over size as one SVG, by gnuplot."""
import shutil
import subprocess
import sys

PANELS = (
    ("round-trip", "Round trip, median", "microseconds", "median"),
    ("stream", "Stream, one to one", "GB/s", "gb_s"),
)
# Ours are thick, the kernel's thin, other libraries' and the limit's dashed.
LOOK = {"shipped": "lw 3", "sleeps": "lw 3", "spins": "lw 3",
        "channel": "lw 3",
        "kernel": "lw 1.5", "library": "lw 1 dt 2", "limit": "lw 1 dt 4"}
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf",
           "#8c564b", "#e377c2", "#bcbd22", "#000000")


def quoted(text):
    return "'%s'" % text.replace("'", "''")


def series(rows, question, figure):
    """Name -> (look, [(size, figure)]), in the order of the tables."""
    found = {}
    for r in rows:
        if r["question"] == question and "median" in r:
            found.setdefault(r["name"], (LOOK[r["kind"]], []))[1].append(
                (r["size"], r[figure]))
    return found


def tick(size):
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return "%d%s" % (size // unit, name)
    return str(size)


def panel(rows, question, title, unit, figure):
    lines = series(rows, question, figure)
    sizes = sorted({r["size"] for r in rows if r["question"] == question})
    out = ["set title %s" % quoted(title), "set ylabel %s" % quoted(unit),
           "set xrange [%g:%g]" % (sizes[0] / 1.3, sizes[-1] * 1.3),
           "set xtics (%s)" % ", ".join(
               "%s %d" % (quoted(tick(size)), size) for size in sizes)]
    for i, (_, points) in enumerate(lines.values()):
        out.append("$%s%d << E" % (figure, i))
        out += ["%d %g" % point for point in points]
        out.append("E")
    out.append("plot " + ", ".join(
        "$%s%d with linespoints lc rgb '%s' pt %d ps 0.7 %s title %s" % (
            figure, i, COLOURS[i % len(COLOURS)], i % 13 + 1, look,
            quoted(name))
        for i, (name, (look, _)) in enumerate(lines.items())))
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
        "set terminal svg noenhanced size 1400,860 dynamic background 'white' "
        "font 'sans,11'", "set output %s" % quoted(path),
        "set multiplot layout 1,2 title %s font ',10'" % quoted(
            facts(result["machine"])),
        "set logscale x 2", "set logscale y 10", "set grid",
        "set xlabel 'bytes a message'",
        "set key outside below maxcols 2 samplen 3 font ',10'",
    ]
    for p in PANELS:
        script += panel(result["rows"], *p)
    script.append("unset multiplot")
    subprocess.run([gnuplot], input="\n".join(script) + "\n", text=True,
                   check=True)
