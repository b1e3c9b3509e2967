/* SPDX-License-Identifier: MIT */
/*
 * Strangers at a topic: cells, words, cursors and lengths that nobody honest wrote, a
 * file that is cut, a file of another kind under its name.  Calls keep their deadline
 * and their errors, nobody crashes, and it heals.  The offsets are those of
 * doc/format.md.
 */
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"

#define FILE_NAME ".topic.news"
#define NAME	  "topic:news"
#define MADE	  NAME "?capacity=7&max=64"
#define PATIENCE  FERRY_MS(30)

#define AT_TAIL	    4096
#define AT_BLOCKING (4096 + 416)
#define AT_SLOTS    8192
#define AT_CELLS    (AT_SLOTS + 256 * 128)
#define CELLS	    8
#define AT_RECORDS  (AT_CELLS + 8 * CELLS + 64)
#define CHUNKS	    (CELLS + 64)

static struct ferry_link *press, *readers[4];

static const char *const policies[] = { "block", "drop-old", "latest",
					"disconnect" };

static void open_all(void)
{
	char address[80];

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	for (int i = 0; i < 4; i++) {
		snprintf(address, sizeof address, NAME "?policy=%s",
			 policies[i]);
		works(NULL, ferry_open(&readers[i], address, FERRY_RECV));
	}
}

static void close_all(void)
{
	for (int i = 0; i < 4; i++)
		ferry_close(readers[i]);
	ferry_close(press);
}

static void write_word(long at, uint64_t word)
{
	scribble(FILE_NAME, at, &word, sizeof word);
}

static bool is_of_the_table(ssize_t r)
{
	return r >= 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -EBADMSG ||
	       r == -ECONNRESET || r == -ESTALE || r == -ENODATA ||
	       r == -ENOSPC || r == -EMSGSIZE || r == -EBUSY;
}

/* No call takes much longer than it may, or answers what it must not. */
static void use_it(unsigned salt)
{
	ferry_time deadline = ferry_after(PATIENCE);
	struct ferry_subscriber who[4];
	struct ferry_message m;
	uint64_t cursor = salt;
	char buf[64];
	ssize_t r;

	r = ferry_send(press, "hello", 5, deadline);
	ck_assert_msg(is_of_the_table(r), "send: %zd", r);
	for (int i = 0; i < 4; i++) {
		r = ferry_recv(readers[i], buf, sizeof buf, FERRY_NOWAIT);
		ck_assert_msg(is_of_the_table(r), "recv: %zd", r);
		ck_assert(r <= (ssize_t)sizeof buf);
	}
	r = ferry_recv(readers[salt % 4], buf, sizeof buf, deadline);
	ck_assert_msg(is_of_the_table(r), "recv: %zd", r);
	if (ferry_take(readers[salt % 4], &m, FERRY_NOWAIT) == 0) {
		ck_assert_uint_le(m.len, 64);
		ferry_release(&m);
	}
	ferry_peek(press, &cursor, &m, buf, sizeof buf);
	ferry_topic_subscribers(press, who, 4);
	ck_assert(ferry_after(0) < deadline + FERRY_S(5));
}

static uint64_t dice = 88172645463325252ull;

static uint64_t roll(uint64_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % sides;
}

/* Every kind of word there is, with what it could be mistaken for. */
static void scrawl(void)
{
	uint64_t word = roll(2) ? roll(UINT64_MAX) : roll(16) << roll(48);

	switch (roll(6)) {
	case 0: write_word(AT_TAIL, word); break;
	case 1: write_word(AT_BLOCKING + 8 * (long)roll(4), word); break;
	case 2:
		write_word(AT_SLOTS + 128 * (long)roll(8) + 8 * (long)roll(4),
			   word);
		break;
	case 3: write_word(AT_CELLS + 8 * (long)roll(CELLS), word); break;
	case 4:
		write_word(AT_RECORDS + 128 * (long)roll(CHUNKS) +
				   (roll(2) ? 0 : 24),
			   word);
		break;
	case 5: write_word(4096 + 256 + 4 * (long)roll(3), word & 3); break;
	}
}

START_TEST(whatever_is_written_anywhere_calls_keep_their_deadline)
{
	struct ferry_garbage *g;
	size_t n;

	open_all();
	for (unsigned i = 0; i < 300; i++) {
		scrawl();
		use_it(i);
	}
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	close_all();
}
END_TEST

START_TEST(a_forged_cell_is_told_and_mended)
{
	struct ferry_garbage *g;
	char buf[64];
	size_t n;

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	works(NULL, ferry_open(&readers[0], NAME, FERRY_RECV));
	works(press, ferry_send(press, "one", 3, FERRY_NOWAIT));
	write_word(AT_CELLS, (uint64_t)1 << 20 | 0xffffe);
	refused(readers[0],
		ferry_recv(readers[0], buf, sizeof buf, FERRY_NOWAIT), -EBADMSG,
		"gc --apply");
	write_word(AT_CELLS, (uint64_t)77 << 20 | 3);
	write_word(AT_CELLS + 8, (uint64_t)99 << 20);
	refused(press, ferry_send(press, "two", 3, ferry_after(PATIENCE)),
		-EBADMSG, "gc --apply");
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	/* what it had not read is gone, and not in its way */
	refused(readers[0],
		ferry_recv(readers[0], buf, sizeof buf, FERRY_NOWAIT), -EAGAIN,
		"topic");
	for (int i = 0; i < 7; i++)
		works(press, ferry_send(press, "more", 4, FERRY_NOWAIT));
	for (int i = 0; i < 7; i++)
		works(readers[0],
		      ferry_recv(readers[0], buf, sizeof buf, FERRY_NOWAIT));
	works(press, ferry_send(press, "last", 4, FERRY_NOWAIT));
	ck_assert_int_eq(ferry_recv(readers[0], buf, sizeof buf, FERRY_NOWAIT),
			 4);
	ferry_close(readers[0]);
	ferry_close(press);
}
END_TEST

START_TEST(a_place_of_nobody_holds_nobody_back_once_it_is_mended)
{
	struct ferry_garbage *g;
	size_t n;

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	/* LOAN of lease 99, which nobody has, and it blocks */
	write_word(AT_SLOTS, (uint64_t)1 << 24 | 99 << 8);
	write_word(AT_BLOCKING, 1);
	for (int i = 0; i < 7; i++)
		works(press, ferry_send(press, "x", 1, FERRY_NOWAIT));
	refused(press, ferry_send(press, "x", 1, ferry_after(PATIENCE)),
		-ETIMEDOUT, "blocks");
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	works(press, ferry_send(press, "x", 1, FERRY_NOWAIT));
	ferry_close(press);
}
END_TEST

static void also_call(const char *name, const char *other)
{
	char path[300];

	snprintf(path, sizeof path, "%s", path_of(name));
	ck_assert_int_eq(link(path, path_of(other)), 0);
}

/* A mailbox under the name of a topic, and the other way round. */
START_TEST(a_file_of_another_kind_is_refused)
{
	struct ferry_link *l;
	struct ferry_object o;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	also_call("box", FILE_NAME);
	refused(NULL, ferry_open(&l, NAME, FERRY_SEND), -EBADMSG, "kind");
	works(NULL, ferry_look(NAME, &o));
	ck_assert_int_eq(o.state, FERRY_DAMAGED);
	ck_assert_int_eq(unlink(path_of(FILE_NAME)), 0);
	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	also_call(FILE_NAME, "news");
	refused(NULL, ferry_open(&l, "mailbox:news", FERRY_SEND), -EBADMSG,
		"kind");
	ck_assert_int_eq(unlink(path_of("news")), 0);
	ferry_close(press);
	works(NULL, ferry_destroy("box"));
}
END_TEST

static void publish_when_told(struct child *c, void *arg)
{
	struct ferry_link *l;

	(void)arg;
	signal(SIGBUS, SIG_DFL);
	works(NULL, ferry_open(&l, NAME, FERRY_SEND));
	child_tell(c);
	child_hear(c);
	ferry_send(l, "x", 1, FERRY_NOWAIT);
	_exit(0);
}

START_TEST(a_truncation_ends_only_those_who_use_that_topic)
{
	struct ferry_link *other, *l;
	struct ferry_garbage *g;
	struct child c;
	char buf[8];
	int status;
	size_t n;

	works(NULL, ferry_open(&other, "topic:other", FERRY_DUPLEX));
	works(NULL, ferry_open(&press, MADE "&persist=kernel", FERRY_SEND));
	ferry_close(press);
	c = child_start(publish_when_told, NULL);
	child_hear(&c);
	ck_assert_int_eq(truncate(path_of(FILE_NAME), 4096), 0);
	child_tell(&c);
	ck_assert_int_eq(waitpid(c.pid, &status, 0), c.pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
		      "it ended with status %x", status);
	refused(NULL, ferry_open(&l, NAME, FERRY_SEND), -EBADMSG, "truncated");
	works(other, ferry_send(other, "x", 1, FERRY_NOWAIT));
	works(other, ferry_recv(other, buf, sizeof buf, FERRY_NOWAIT));
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	ck_assert_int_eq(unlink(path_of(FILE_NAME)), 0);
	ferry_close(other);
}
END_TEST

/* --- who sleeps for long depends on being woken ---------------------------------- */

static struct ferry_link *mine; /* a child's */

/* The end of a process rings the bell, too: so it tells first. */
static void say_so_and_stay(struct child *c, long long result)
{
	works(mine, result);
	child_tell(c);
	child_hear(c);
	ferry_close(mine);
}

static void sleep_for_news(struct child *c, void *arg)
{
	char buf[64];

	works(NULL, ferry_open(&mine, arg, FERRY_RECV));
	child_tell(c);
	say_so_and_stay(c, ferry_recv(mine, buf, sizeof buf, FERRY_FOREVER));
}

static void sleep_for_room(struct child *c, void *arg)
{
	works(NULL, ferry_open(&mine, arg, FERRY_SEND));
	child_tell(c);
	say_so_and_stay(c, ferry_send(mine, "x", 1, FERRY_FOREVER));
}

static void sleep_for_a_crowd(struct child *c, void *arg)
{
	works(NULL, ferry_open(&mine, arg, FERRY_SEND));
	child_tell(c);
	say_so_and_stay(c, ferry_topic_wait(mine, 1, FERRY_FOREVER));
}

static struct child sleeper(void (*run)(struct child *c, void *arg))
{
	static char name[] = NAME;
	struct child c = child_start(run, name);

	child_hear(&c);
	ck_assert(look_await_long_sleep(c.pid, 30));
	return c;
}

static void is_woken(struct child *c)
{
	child_hear(c);
	child_tell(c);
	child_join(c);
}

START_TEST(who_has_slept_for_long_is_woken_by_a_message)
{
	struct child a, b;

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	a = sleeper(sleep_for_news);
	b = sleeper(sleep_for_news);
	works(press, ferry_send(press, "x", 1, FERRY_NOWAIT));
	is_woken(&a);
	is_woken(&b);
	ferry_close(press);
}
END_TEST

/* By a reader, and by one that leaves without reading. */
START_TEST(who_has_slept_for_long_is_woken_by_room)
{
	struct child c;
	char buf[64];

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	works(NULL, ferry_open(&readers[0], NAME, FERRY_RECV));
	for (int i = 0; i < 7; i++)
		works(press, ferry_send(press, "x", 1, FERRY_NOWAIT));
	c = sleeper(sleep_for_room);
	if (_i)
		works(readers[0],
		      ferry_recv(readers[0], buf, sizeof buf, FERRY_NOWAIT));
	else
		ferry_close(readers[0]);
	is_woken(&c);
	if (_i)
		ferry_close(readers[0]);
	ferry_close(press);
}
END_TEST

START_TEST(who_has_slept_for_long_is_woken_by_a_subscriber)
{
	struct child c;

	works(NULL, ferry_open(&press, MADE, FERRY_SEND));
	c = sleeper(sleep_for_a_crowd);
	works(NULL, ferry_open(&readers[0], NAME, FERRY_RECV));
	is_woken(&c);
	ferry_close(readers[0]);
	ferry_close(press);
}
END_TEST

Suite *topic_suite(void)
{
	Suite *s = suite_create("topic");
	TCase *tc = fault_case("topic", 120);

	tcase_add_test(tc,
		       whatever_is_written_anywhere_calls_keep_their_deadline);
	tcase_add_test(tc, a_forged_cell_is_told_and_mended);
	tcase_add_test(tc,
		       a_place_of_nobody_holds_nobody_back_once_it_is_mended);
	tcase_add_test(tc, a_file_of_another_kind_is_refused);
	tcase_add_test(tc, a_truncation_ends_only_those_who_use_that_topic);
	tcase_add_test(tc, who_has_slept_for_long_is_woken_by_a_message);
	tcase_add_loop_test(tc, who_has_slept_for_long_is_woken_by_room, 0, 2);
	tcase_add_test(tc, who_has_slept_for_long_is_woken_by_a_subscriber);
	suite_add_tcase(s, tc);
	return s;
}
