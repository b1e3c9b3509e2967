# SPDX-License-Identifier: MIT
"""The machine's facts, which stand beside every figure, and what else its
CPUs did while a figure was made."""
import datetime
import json
import os
import statistics
import subprocess

SHARED_CORE_NS = 120    # an L2 below this: both CPUs are threads of one core


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def core_of(cpu):
    """Package and core of a CPU, as the kernel believes them."""
    base = "/sys/devices/system/cpu/cpu%d/topology/" % cpu
    return (read(base + "physical_package_id").strip(),
            read(base + "core_id").strip())


def two_cpus():
    """Two CPUs we may use, on different cores when there are such."""
    cpus = sorted(os.sched_getaffinity(0))
    for other in cpus[1:]:
        if core_of(other) != core_of(cpus[0]):
            return cpus[0], other
    return cpus[0], cpus[1] if len(cpus) > 1 else cpus[0]


def cpu_times():
    """(all, busy, stolen) CPU seconds since boot, from /proc/stat."""
    tick = os.sysconf("SC_CLK_TCK")
    first = read("/proc/stat").split("\n", 1)[0].split()[1:]
    user, nice, system, idle, iowait, irq, soft, steal = (
        int(x) / tick for x in first[:8])
    busy = user + nice + system + irq + soft
    return busy + idle + iowait + steal, busy, steal


def share(before, after):
    """Of the CPU time between: what the host stole, what others used."""
    (all0, busy0, steal0), own0 = before
    (all1, busy1, steal1), own1 = after
    total = max(all1 - all0, 0.01)
    others = max(busy1 - busy0 - (own1 - own0), 0)
    return {"stolen": round((steal1 - steal0) / total, 4),
            "others": round(others / total, 4)}


def group_state(group):
    """What the processes of a group are doing: for a run that hangs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = read("/proc/%s/stat" % pid).rpartition(")")[2].split()
        if len(stat) > 2 and int(stat[2]) == group:
            found.append("%s %s in %s, system call %s" % (
                pid, stat[0], read("/proc/%s/wchan" % pid) or "?",
                read("/proc/%s/syscall" % pid).split(" ")[0].strip() or "?"))
    return "; ".join(found) or "all of its processes are gone"


def cpu_model():
    for line in read("/proc/cpuinfo").split("\n"):
        if line.startswith(("model name", "Model", "cpu model")):
            return line.split(":", 1)[1].strip()
    return "unknown"


def commit():
    try:
        return subprocess.run(
            ["git", "-C", os.path.dirname(os.path.abspath(__file__)),
             "describe", "--always", "--dirty"], text=True,
            capture_output=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def introspect(build, what, otherwise):
    try:
        return json.loads(read(os.path.join(
            build, "meson-info", "intro-%s.json" % what)))
    except ValueError:
        return otherwise


def build_options(build):
    """How the library was built: what a figure depends on."""
    options = {o["name"]: o["value"]
               for o in introspect(build, "buildoptions", ())}
    if not options:
        return "unknown options"
    sanitize = options.get("b_sanitize", "none")
    return "-O%s%s" % (options.get("optimization", "?"),
                       "" if sanitize == "none" else ", sanitizers on")


def facts(build, cpus, cells):
    runs = [r for c in cells for r in c.runs]
    l2 = [1e9 * r["seconds"] / r["messages"]
          for c in cells if c.name == "L2" for r in c.runs]
    base = "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor" % cpus[0]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime(
            "%Y-%m-%d %H:%M UTC"),
        "kernel": "%s %s" % (os.uname().sysname, os.uname().release),
        "arch": os.uname().machine,
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "pinned": list(cpus),
        "shared_core": bool(l2) and statistics.median(l2) < SHARED_CORE_NS,
        "virtual": " hypervisor" in read("/proc/cpuinfo"),
        "governor": read(base).strip(),
        "compiler": next((r["compiler"] for r in runs), ""),
        "options": build_options(build),
        "ferry": introspect(build, "projectinfo", {}).get("version", ""),
        "commit": commit(),
        "stolen": round(statistics.fmean(r["stolen"] for r in runs), 4),
        "others": round(statistics.fmean(r["others"] for r in runs), 4),
        "runs": len(runs),
        "dropped": len([r for r in runs if not r["good"]]),
    }
