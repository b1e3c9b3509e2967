/* SPDX-License-Identifier: MIT */
/* The progress line, and colour: both on a terminal only.  See report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "options.h"

#define PROGRESS_EVERY FERRY_MS(200)

static struct {
	int64_t began, shown;
	bool visible;
} line;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return FERRY_S(ts.tv_sec) + ts.tv_nsec;
}

static bool wanted(void)
{
	static int terminal = -1;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	return terminal && !globals.quiet && !globals.json;
}

void progress(const char *what, uint64_t done, int64_t left)
{
	int64_t t;
	double seconds;

	if (!wanted())
		return;
	t = now();
	if (!line.began) {
		line.began = line.shown = t;
		return;
	}
	if (t - line.shown < PROGRESS_EVERY)
		return;
	line.shown = t;
	line.visible = true;
	seconds = (double)(t - line.began) / 1e9;
	fprintf(stderr, "\r%" PRIu64 " %s, %.0f/s", done, what,
		(double)done / seconds);
	if (left >= 0)
		fprintf(stderr, ", %" PRId64 " left", left);
	fprintf(stderr, "\033[K");
	fflush(stderr);
}

void progress_end(void)
{
	if (!line.visible)
		return;
	line.visible = false;
	fprintf(stderr, "\r\033[K");
	fflush(stderr);
}

static bool coloured(void)
{
	static int answer = -1;
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (answer < 0)
		answer = isatty(STDOUT_FILENO) && !(no && *no) && term &&
			 strcmp(term, "dumb");
	return answer;
}

const char *colour(enum colour c)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "\033[0m",    [COLOUR_GREEN] = "\033[32m",
		[COLOUR_YELLOW] = "\033[33m", [COLOUR_RED] = "\033[31m",
		[COLOUR_DIM] = "\033[2m",
	};

	return coloured() ? sequences[c] : "";
}
