/* SPDX-License-Identifier: MIT */
/*
 * The collector: adds up the results of N files, each file once, and prints
 * "files lines words bytes redeliveries duplicates".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ferry.h>
#include "demo.h"

/* Nobody sends for so long: something is lost, and waiting will not help. */
#define SILENCE FERRY_S(30)

struct sums {
	uint64_t n, files, lines, words, bytes, redeliveries, duplicates;
	unsigned char *seen; /* one for each file */
};

static void add(struct sums *s, const struct result *r)
{
	s->redeliveries += r->redelivered;
	if (s->seen[r->file]++) {
		s->duplicates++;
		s->seen[r->file] = 1;
		return;
	}
	s->files++;
	s->lines += r->lines;
	s->words += r->words;
	s->bytes += r->bytes;
}

static void progress(const struct sums *s)
{
	static ferry_time next;
	ferry_time now = ferry_after(0);

	if (!isatty(STDERR_FILENO) || (now < next && s->files < s->n))
		return;
	next = now + FERRY_MS(100);
	fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " files\033[K%s", s->files,
		s->n, s->files == s->n ? "\n" : "");
}

static int collect(struct ferry_link *results, struct sums *s)
{
	struct result r;
	ssize_t len;

	while (s->files < s->n) {
		len = ferry_recv(results, &r, sizeof r, ferry_after(SILENCE));
		if (len < 0)
			return demo_failed("results", results, (int)len);
		if (len != sizeof r || r.file >= s->n)
			return demo_failed("a result", results, -EBADMSG);
		add(s, &r);
		progress(s);
	}
	return 0;
}

/* What a killed worker sent before its death may come a second time, late. */
static void collect_late(struct ferry_link *results, struct sums *s)
{
	struct result r;

	while (ferry_recv(results, &r, sizeof r, FERRY_NOWAIT) == sizeof r)
		if (r.file < s->n)
			add(s, &r);
}

int demo_collect(char **args)
{
	struct sums s = { .n = strtoull(args[1], NULL, 10) };
	struct ferry_link *results;
	int err = ferry_open(&results, args[0], FERRY_RECV), status;

	if (err < 0)
		return demo_failed(args[0], NULL, err);
	s.seen = calloc(s.n + 1, 1);
	if (!s.seen)
		return demo_failed("memory", NULL, -ENOMEM);
	status = collect(results, &s);
	collect_late(results, &s);
	ferry_close(results);
	free(s.seen);
	if (!status)
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		       " %" PRIu64 " %" PRIu64 "\n",
		       s.files, s.lines, s.words, s.bytes, s.redeliveries,
		       s.duplicates);
	return status;
}
