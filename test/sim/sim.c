/* SPDX-License-Identifier: MIT */
/*
 * sim: run the library under a scheduler of our own, one seed after the other,
 * and judge each history.  The same seed gives the same history, byte for byte.
 *
 *	sim --seeds N [--from S]	seeds S .. S + N - 1 (1)
 *	sim --seed S --trace		one seed, with every step
 *	... --twice			each seed again, which must say the same
 *
 * Ends at the first history that breaks a rule, with status 1, and says how to
 * see it again.
 *
 * What it does not see: orders that only a weak memory has (each access is one
 * step of one thread), threads of one process, kernels without futex_waitv, a
 * lack of memory, dead letters and dropping, several mailboxes, removal, and
 * rings that grow (more than 32 places).  The kills of test/crash/ see most of
 * these.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "world.h"

struct order {
	uint64_t from, seeds;
	bool trace, twice;
};

/* --- what people read ----------------------------------------------------- */

static const char *control_word(size_t at)
{
	static const struct {
		size_t at;
		const char *name;
	} words[] = {
		{ offsetof(struct ferryi_control, tail), "tail" },
		{ offsetof(struct ferryi_control, head), "head" },
		{ offsetof(struct ferryi_control, gate), "gate[recv]" },
		{ offsetof(struct ferryi_control, gate) + 4, "gate[space]" },
		{ offsetof(struct ferryi_control, gate) + 8, "gate[chunk]" },
		{ offsetof(struct ferryi_control, state), "state" },
		{ offsetof(struct ferryi_control, returned), "returned" },
		{ offsetof(struct ferryi_control, reserved), "reserved[0]" },
		{ offsetof(struct ferryi_control, reserved) + 4,
		  "reserved[1]" },
		{ offsetof(struct ferryi_control, reserved) + 8,
		  "reserved[2]" },
		{ offsetof(struct ferryi_control, joins), "joins" },
		{ offsetof(struct ferryi_control, members), "members" },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].at == at)
			return words[i].name;
	return "control";
}

static const char *record_word(size_t at)
{
	switch (at) {
	case offsetof(struct ferryi_record, cell): return "cell";
	case offsetof(struct ferryi_record, cell) + 4: return "cell (high)";
	case offsetof(struct ferryi_record, word): return "word";
	case offsetof(struct ferryi_record, seq): return "seq";
	case offsetof(struct ferryi_record, len): return "len";
	case offsetof(struct ferryi_record, handle): return "handle";
	}
	return at < offsetof(struct ferryi_record, sender) ? "data" : "signs";
}

const char *sim_place(const void *where)
{
	static char text[64];
	const uint8_t *p = where, *base = world.queue.base;
	const uint8_t *records = (void *)world.queue.records;
	const struct ferryi_registry *g = world_registry();
	size_t at = (size_t)(p - records);

	if (p >= (const uint8_t *)world.queue.control && p < records)
		return control_word(
			(size_t)(p - (const uint8_t *)world.queue.control));
	if (p >= records && p < records + world.queue.n_chunks * 256u)
		snprintf(text, sizeof text, "%s[%zu]", record_word(at % 256),
			 at / 256);
	else if (p >= base && p < base + world.header.preamble.total_bytes)
		return "payload";
	else if (where == &g->control->death)
		return "death";
	else if (where == &g->control->epoch)
		return "epoch";
	else if (p >= (uint8_t *)g->slots &&
		 p < (uint8_t *)(g->slots + SIM_SLOTS))
		snprintf(text, sizeof text, "slot[%zu]",
			 (size_t)(p - (uint8_t *)g->slots) /
				 sizeof(struct ferryi_slot));
	else
		return "-";
	return text;
}

static void print_plan(uint64_t seed)
{
	const struct plan *p = &world.plan;

	printf("seed %llu: %u processes, %u places, %u chunks, %s, %s, %s\n",
	       (unsigned long long)seed, p->n_procs, history.terms.capacity,
	       history.terms.chunks,
	       p->by_priority ? "by priority" : "at random",
	       history.terms.at_most_once ? "at most once" : "at least once",
	       history.terms.refuses ? "refuses" : "waits");
}

static void print_verdict(uint64_t seed, const struct verdict *v,
			  const char *program)
{
	printf("seed %llu: [%s] %s\n", (unsigned long long)seed, v->rule,
	       v->why);
	if (v->at < history.n)
		history_print(&history.events[v->at]);
	printf("replay: %s --seed %llu --trace\n", program,
	       (unsigned long long)seed);
}

/* --- one seed ------------------------------------------------------------- */

static uint64_t one(uint64_t seed, struct verdict *v)
{
	uint64_t steps;

	world_make(seed);
	if (sim_tracing)
		print_plan(seed);
	schedule_run();
	steps = (uint64_t)world_steps();
	world_end();
	check_history(&history, v);
	return steps;
}

static bool same_again(uint64_t seed, uint64_t steps)
{
	static struct event before[HISTORY_MOST];
	struct verdict v;
	unsigned n = history.n;

	memcpy(before, history.events, n * sizeof before[0]);
	return one(seed, &v) == steps && history.n == n &&
	       memcmp(before, history.events, n * sizeof before[0]) == 0;
}

static int run(const struct order *o, const char *program)
{
	struct timespec a, b;
	uint64_t steps = 0, events = 0;
	struct verdict v;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (uint64_t s = o->from; s < o->from + o->seeds; s++) {
		uint64_t n = one(s, &v);

		steps += n;
		events += history.n;
		if (v.rule) {
			print_verdict(s, &v, program);
			return 1;
		}
		if (o->twice && !same_again(s, n)) {
			printf("seed %llu: another history the second time\n",
			       (unsigned long long)s);
			return 1;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%llu seeds in %.1f s: %llu steps, %llu events, %llu taken, "
	       "%llu kills, %llu stops, %llu sleeps, %llu repairs; no rule "
	       "broken\n",
	       (unsigned long long)o->seeds,
	       (double)(b.tv_sec - a.tv_sec) +
		       (double)(b.tv_nsec - a.tv_nsec) / 1e9,
	       (unsigned long long)steps, (unsigned long long)events,
	       (unsigned long long)world.count.takes,
	       (unsigned long long)world.count.kills,
	       (unsigned long long)world.count.stops,
	       (unsigned long long)world.count.sleeps,
	       (unsigned long long)world.count.recoveries);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim --seeds N [--from S] [--twice]\n"
			"       sim --seed S [--trace] [--twice]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", no_argument, NULL, 't' },
		{ "twice", no_argument, NULL, '2' },
		{ NULL, 0, NULL, 0 },
	};
	struct order o = { .from = 1, .seeds = 1000 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'n': o.seeds = strtoull(optarg, NULL, 10); break;
		case 'f': o.from = strtoull(optarg, NULL, 10); break;
		case 's':
			o.from = strtoull(optarg, NULL, 10);
			o.seeds = 1;
			break;
		case 't': o.trace = true; break;
		case '2': o.twice = true; break;
		default: return usage();
		}
	if (optind < argc || o.seeds == 0)
		return usage();
	/* without the safety net: what it would mend is a fault here */
	setenv("FERRY_NET_MS", "0", 1);
	setenv("FERRY_SPIN_US", "0", 1);
	sim_tracing = o.trace;
	return run(&o, argv[0]);
}
