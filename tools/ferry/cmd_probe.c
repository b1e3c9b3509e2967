/* SPDX-License-Identifier: MIT */
/*
 * ferry probe ADDRESS: what a link loses, doubles, reorders or damages, and how fast it
 * is.  A child receives and this process sends, or one of the two alone.
 *
 * The child is forked before anything is opened, but for a pair.  It says with one byte
 * that it may be sent to, and at the end what came.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>
#include "cancel.h"
#include "json.h"
#include "options.h"
#include "probe.h"
#include "report.h"
#include "verb.h"

static struct probe probe = {
	.count = 10000, .size = PROBE_LEAST, .seed = 1, .patience = FERRY_S(1)
};
static bool only_sends, only_receives;

static const struct option_row rows[] = {
	{ "count", 'C', OPTION_NUMBER, &probe.count, "N",
	  "how many messages (10000)", NULL },
	{ "size", 's', OPTION_SIZE, &probe.size, "SIZE",
	  "bytes of each, from 64 (64)", NULL },
	{ "seed", 0, OPTION_NUMBER, &probe.seed, "N",
	  "what they hold; the same at both ends (1)", NULL },
	{ "send", 0, OPTION_FLAG, &only_sends, NULL, "the sending end only",
	  NULL },
	{ "recv", 0, OPTION_FLAG, &only_receives, NULL,
	  "the receiving end only", NULL },
	{ "patience", 0, OPTION_DURATION, &probe.patience, "DURATION",
	  "silence that is the end where nothing else says so (1s)", NULL },
	{ 0 },
};

struct result {
	bool has_sent, has_received, has_faults;
	uint64_t sent, lost;
	struct ferry_fault_stat injected;
	struct probe_counts got;
};

/* --- the report ------------------------------------------------------------------ */

static void print_json(const struct result *r)
{
	const struct ferry_fault_stat *i = &r->injected;
	const struct probe_counts *g = &r->got;
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "address", probe.name, strlen(probe.name));
	if (r->has_sent)
		json_number(&j, "sent", r->sent);
	if (r->has_received) {
		json_number(&j, "received", g->received);
		json_number(&j, "lost", r->lost);
		json_number(&j, "doubled", g->doubled);
		json_number(&j, "reordered", g->reordered);
		json_number(&j, "damaged", g->damaged);
		json_number(&j, "foreign", g->foreign);
		json_number(&j, "rate", g->rate);
		json_open(&j, "latency_us", '{');
		json_number(&j, "p50", g->p50);
		json_number(&j, "p99", g->p99);
		json_number(&j, "max", g->max);
		json_close(&j, '}');
	}
	if (r->has_faults) {
		json_open(&j, "injected", '{');
		json_number(&j, "dropped", i->dropped);
		json_number(&j, "doubled", i->doubled);
		json_number(&j, "reordered", i->reordered);
		json_number(&j, "damaged", i->damaged);
		json_number(&j, "delayed", i->delayed);
		json_bool(&j, "cut", i->cut);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_end(&j);
}

static void line(const char *what, uint64_t n, bool is_bad)
{
	printf("%-10s %s%llu%s\n", what, n && is_bad ? colour(COLOUR_RED) : "",
	       (unsigned long long)n, n && is_bad ? colour(COLOUR_NONE) : "");
}

static void print_text(const struct result *r)
{
	const struct ferry_fault_stat *i = &r->injected;
	const struct probe_counts *g = &r->got;

	if (r->has_sent)
		line("sent", r->sent, false);
	if (r->has_received) {
		line("received", g->received, false);
		line("lost", r->lost, true);
		line("doubled", g->doubled, true);
		line("reordered", g->reordered, true);
		line("damaged", g->damaged, true);
		line("foreign", g->foreign, true);
		printf("%-10s %llu/s\n", "rate", (unsigned long long)g->rate);
		printf("%-10s p50 %llu us, p99 %llu us, max %llu us\n",
		       "latency", (unsigned long long)g->p50,
		       (unsigned long long)g->p99, (unsigned long long)g->max);
	}
	if (r->has_faults)
		printf("%-10s dropped %llu, doubled %llu, reordered %llu, "
		       "damaged %llu, delayed %llu%s\n",
		       "injected", (unsigned long long)i->dropped,
		       (unsigned long long)i->doubled,
		       (unsigned long long)i->reordered,
		       (unsigned long long)i->damaged,
		       (unsigned long long)i->delayed, i->cut ? ", cut" : "");
}

/* 0 when nothing was wrong. */
static int tell(const struct result *r)
{
	const struct probe_counts *g = &r->got;
	bool wrong = r->has_sent && r->sent < probe.count;

	if (r->has_received)
		wrong |= r->lost || g->doubled || g->reordered || g->damaged ||
			 g->foreign || g->received == 0;
	if (globals.json)
		print_json(r);
	else
		print_text(r);
	return wrong ? STATUS_NO : 0;
}

/* --- one end ---------------------------------------------------------------------- */

static int send_here(struct ferry_link *l, struct result *r)
{
	r->has_sent = true;
	r->has_faults = strcmp(probe.sends, probe.plain) != 0;
	return probe_send(&probe, l, &r->sent, &r->injected);
}

static int run_sender(void)
{
	struct result result = { 0 };
	struct ferry_link *l;
	int r = ferry_open(&l, probe.sends, FERRY_SEND), status;

	if (r < 0)
		return report_error(probe.name, NULL, r);
	status = send_here(l, &result);
	return status ? status : tell(&result);
}

static int receive_here(struct ferry_link *l, struct result *r)
{
	int status = probe_receive(&probe, l, &r->got);

	ferry_close(l);
	r->has_received = true;
	return status;
}

static int run_receiver(void)
{
	struct result result = { 0 };
	struct ferry_link *l;
	int r = probe_open_receiver(&probe, &l, -1), status;

	if (r < 0)
		return report_error(probe.name, NULL, r);
	status = receive_here(l, &result);
	if (!result.got.announced)
		result.got.announced = probe.count;
	result.lost = result.got.announced - result.got.distinct;
	return status ? status : tell(&result);
}

/* --- both --------------------------------------------------------------------------- */

/* The child: one byte when it is there, then what came. */
static int be_receiver(struct ferry_link *l, int out)
{
	struct result result = { 0 };
	int r = 0, status;

	if (l) /* an end of a pair, which is this process's from now on */
		r = ferry_adopt_after_fork(l);
	if (l && r == 0 && write(out, "", 1) < 0)
		r = -errno;
	if (!l)
		r = probe_open_receiver(&probe, &l, out);
	if (r < 0)
		return report_error(probe.name, NULL, r);
	status = receive_here(l, &result);
	if (write(out, &result.got, sizeof result.got) < 0)
		return report_sys(probe.name, errno);
	return status;
}

static bool read_whole(int fd, void *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		if (cancel_wait_readable(fd) < 0)
			return false;
		n = read(fd, (char *)buf + got, len - got);
		if (n <= 0 && (n == 0 || errno != EINTR))
			return false;
		got += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int child_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   STATUS_SIGNAL + WTERMSIG(status);
}

/* The child has said that it may be sent to, or ended with an error. */
static int be_sender(struct ferry_link *l, pid_t pid, int in)
{
	struct result result = { .has_received = true };
	int r = 0, status;
	char byte;

	cancel_on_signals(NULL);
	if (!read_whole(in, &byte, 1)) {
		if (cancelled())
			kill(pid, SIGTERM);
		return child_status(pid);
	}
	if (!l)
		r = ferry_open(&l, probe.sends, FERRY_SEND);
	status = r < 0 ? report_error(probe.name, NULL, r) :
			 send_here(l, &result);
	if (status)
		kill(pid, SIGTERM);
	if (!read_whole(in, &result.got, sizeof result.got) || status) {
		if (cancelled())
			kill(pid, SIGTERM);
		r = child_status(pid);
		return status ? status : r;
	}
	status = child_status(pid);
	result.lost = result.sent - result.got.distinct;
	return status ? status : tell(&result);
}

static int run_both(void)
{
	struct ferry_link *ends[2] = { NULL, NULL };
	int fds[2], r = 0, status;
	pid_t pid, us = getpid();

	if (probe.pairs)
		r = ferry_pair(ends, probe.sends);
	if (r < 0)
		return report_error(probe.name, NULL, r);
	pid = pipe(fds) < 0 ? -1 : fork();
	if (pid < 0)
		return report_sys(probe.name, errno);
	if (pid == 0) {
		/* a signal may end us before we can hand it on */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != us)
			_exit(STATUS_NO);
		close(fds[0]);
		ferry_close(ends[1]);
		_exit(cancel_finish(be_receiver(ends[0], fds[1])));
	}
	close(fds[1]);
	ferry_close(ends[0]);
	status = be_sender(ends[1], pid, fds[0]);
	close(fds[0]);
	return status;
}

static void check_options(void)
{
	if (only_sends && only_receives)
		usage_error("--send and --recv are the two ends: leave both "
			    "out to run both");
	if (probe.count < 1 || probe.count > PROBE_COUNT_MAX)
		usage_error("--count is from 1 to %u", PROBE_COUNT_MAX);
	if (probe.size < PROBE_LEAST || probe.size > PROBE_SIZE_MAX)
		usage_error("--size is from %u to %uM", PROBE_LEAST,
			    PROBE_SIZE_MAX >> 20);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int status;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one ADDRESS, please");
	check_options();
	if (!probe_understand(&probe, argv[1]))
		return report(argv[1], STATUS_USAGE,
			      "is no address (ferry transports lists them)");
	if ((only_sends || only_receives) && probe.pairs)
		usage_error("%s has no name: leave --send and --recv out",
			    argv[1]);
	status = only_sends    ? run_sender() :
		 only_receives ? run_receiver() :
				 run_both();
	return cancel_finish(status);
}

const struct verb verb_probe = {
	.name = "probe",
	.operands = "ADDRESS",
	.summary = "what a link loses, doubles, reorders or damages",
	.options = rows,
	.run = run,
};
