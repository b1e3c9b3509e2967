/* SPDX-License-Identifier: MIT */
/*
 * ferry pipe ADDRESS: standard input and output over a connection.
 * ferry pipe A B: two links joined, see relay.h.
 *
 * Two threads, one each way, since either may wait for ever.  The end of standard
 * input ends that direction only; the verb ends when both have.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ferry.h>
#include "cancel.h"
#include "framing.h"
#include "opening.h"
#include "relay.h"
#include "report.h"
#include "verb.h"

#define PIECE (64 << 10)

static struct relay_options options = RELAY_INIT;
static bool only_receives;

static const struct option_row rows[] = {
	{ "receive", 'r', OPTION_FLAG, &only_receives, NULL,
	  "leave standard input alone, and send nothing (one ADDRESS)", NULL },
	RELAY_ROWS(options),
	{ 0 },
};

/* Bytes, where the scheme has messages as well and the user chose nothing. */
static void choose_bytes(const char *text, char *out, size_t size)
{
	const struct ferry_transport_info *t = address_transport(text);

	snprintf(out, size, "%s", text);
	if (t && t->promises & FERRY_CAN_MESSAGES &&
	    t->promises & FERRY_CAN_STREAM &&
	    !address_has(text, "framing", NULL))
		address_add(out, size, "framing", "stream");
}

static int meet(const char *address, struct ferry_link **out)
{
	struct ferry_link *door;
	int r;

	if (!options.listens[0])
		return open_patiently(out, address, FERRY_DUPLEX,
				      &options.patience);
	r = listen_patiently(&door, address, &options.patience);
	if (r < 0)
		return r;
	note("listening at %s", ferry_address(door));
	cancel_on_signals(door);
	r = ferry_accept(door, out, patience_deadline(&options.patience));
	cancel_stop();
	if (r >= 0)
		note("connected: %s", ferry_address(*out));
	ferry_close(door);
	return r;
}

/* --- standard input to the link ---------------------------------------------- */

struct sending {
	struct ferry_link *link;
	const char *name;
	int status;
	atomic_flag said;
};

/* One line, though both threads hear of the same end. */
static int say_once(struct sending *s, int err)
{
	if (err == -ECANCELED)
		return STATUS_NO;
	return atomic_flag_test_and_set(&s->said) ?
		       ferry_error_status(err) :
		       report_error(s->name, s->link, err);
}

static int write_all(struct sending *s, const char *buf, size_t len)
{
	size_t done = 0;
	ssize_t r;

	while (done < len) {
		r = ferry_write(s->link, buf + done, len - done, FERRY_FOREVER);
		if (r < 0)
			return say_once(s, (int)r);
		done += (size_t)r;
	}
	return 0;
}

static int give_input(struct sending *s)
{
	static char buf[PIECE];
	int status = 0;
	ssize_t n;

	while (!status) {
		if (cancel_wait_readable(STDIN_FILENO) < 0)
			return STATUS_NO;
		n = read(STDIN_FILENO, buf, sizeof buf);
		if (n == 0)
			return 0;
		if (n > 0)
			status = write_all(s, buf, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN)
			return report_sys("standard input", errno);
	}
	return status;
}

static void *send_input(void *arg)
{
	struct sending *s = arg;

	s->status = only_receives ? 0 : give_input(s);
	ferry_shutdown(s->link, FERRY_SEND);
	return NULL;
}

/* --- the link to standard output ---------------------------------------------- */

static int take_output(struct sending *s)
{
	static char buf[PIECE];
	ssize_t n;

	while ((n = ferry_read(s->link, buf, sizeof buf, FERRY_FOREVER)) >= 0)
		if (!output_bytes(buf, (size_t)n))
			return report_stdout();
	return n == -ENODATA ? 0 : say_once(s, (int)n);
}

static int both_ways(struct ferry_link *l, const char *name)
{
	struct sending s = { .link = l,
			     .name = name,
			     .said = ATOMIC_FLAG_INIT };
	pthread_t thread;
	int status;

	if (pthread_create(&thread, NULL, send_input, &s) != 0)
		return report_sys(name, errno);
	status = take_output(&s);
	if (status)
		exit(cancel_finish(
			status)); /* the other thread may be reading */
	pthread_join(thread, NULL);
	return s.status;
}

static int join_standard(const char *name)
{
	char address[ADDRESS_SIZE];
	struct ferry_link *l;
	int r, status;

	if (options.listens[1] || options.one_way || options.strict ||
	    options.count != UINT64_MAX || options.framing.line ||
	    options.framing.nul || options.framing.len32)
		usage_error("-L, --one-way, --strict, -C and framings are for "
			    "two ADDRESSes");
	if (strlen(name) > ADDRESS_SIZE - 32)
		usage_error("%.60s...: the address is too long", name);
	choose_bytes(name, address, sizeof address);
	r = meet(address, &l);
	if (r < 0)
		return cancel_finish(
			opening_failed(name, r, &options.patience));
	cancel_on_signals(l);
	status = both_ways(l, name);
	cancel_forget();
	ferry_close(l);
	return cancel_finish(status);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv);

	if (n < 1 || n > 2)
		usage_error("one ADDRESS, or two, please");
	if (n == 2 && only_receives)
		usage_error("-r is for one ADDRESS (see --one-way)");
	return n == 1 ? join_standard(argv[1]) :
			cancel_finish(relay(argv[1], argv[2], &options));
}

const struct verb verb_pipe = {
	.name = "pipe",
	.operands = "ADDRESS [ADDRESS]",
	.summary = "join two links, or one and standard input and output",
	.options = rows,
	.run = run,
};
