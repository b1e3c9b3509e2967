/* SPDX-License-Identifier: MIT */
/* Segments: what is refused, how they are made and go. */
#include <sys/resource.h>

#include "realm/realm_test.h"

/* --- what is refused -------------------------------------------------------------- */

/* Ways to spoil a file, and what its next user is told. */
static const struct {
	const char *how;
	int err;
} spoilt[] = { { "format", -EPROTO }, { "feature", -EPROTO },
	       { "word", -EPROTO },   { "magic", -EBADMSG },
	       { "kind", -EBADMSG },  { "sum", -EBADMSG },
	       { "short", -EBADMSG }, { "long", -EBADMSG },
	       { "empty", -EBADMSG }, { "foreign", -EBADMSG } };

#define N_SPOILT (int)(sizeof spoilt / sizeof spoilt[0])

static void spoil(const char *name, int way, uint64_t bytes)
{
	static const uint8_t ones[8] = {
		255, 255, 255, 255, 255, 255, 255, 255
	};
	const char *how = spoilt[way].how;

	if (strcmp(how, "format") == 0)
		scribble(name, ones, 4,
			 offsetof(struct ferryi_preamble, format));
	else if (strcmp(how, "feature") == 0)
		scribble(name, ones, 1,
			 offsetof(struct ferryi_preamble, must_know));
	else if (strcmp(how, "word") == 0)
		scribble(name, ones, 1,
			 offsetof(struct ferryi_preamble, word_bits));
	else if (strcmp(how, "magic") == 0)
		scribble(name, ones, 8, 0);
	else if (strcmp(how, "kind") == 0)
		scribble(name, ones, 1, offsetof(struct ferryi_preamble, kind));
	else if (strcmp(how, "sum") == 0)
		scribble(name, ones, 8, sizeof(struct ferryi_preamble));
	else if (strcmp(how, "short") == 0)
		shorten(name, 4096);
	else if (strcmp(how, "long") == 0)
		shorten(name, (off_t)bytes + 4096);
	else if (strcmp(how, "empty") == 0)
		shorten(name, 0);
	else {
		erase(name);
		scribble(name, "#!/bin/sh\necho hello\n", 21, 0);
	}
}

START_TEST(a_registry_that_makes_no_sense_is_refused)
{
	struct ferryi_realm *r = join();

	ferryi_realm_leave(r);
	spoil(FERRYI_REGISTRY_NAME, _i, FERRYI_REGISTRY_BYTES);
	fails_saying(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_REGISTRY),
		     spoilt[_i].err, ".ferry");
	erase(FERRYI_REGISTRY_NAME);
	ferryi_realm_leave(join());
}
END_TEST

static void spoil_in_a_child(void *arg)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_KERNEL);
	char path[300];
	struct stat st;

	sub(path, "jobs");
	ck_assert_int_eq(stat(path, &st), 0);
	ferry_close(l);
	spoil("jobs", (int)(intptr_t)arg, (uint64_t)st.st_size);
}

START_TEST(a_segment_that_makes_no_sense_is_refused)
{
	struct ferryi_choice c = small();
	struct ferryi_segment *g;
	struct ferryi_realm *r = join();
	struct ferry_link *l;

	expect_exit(child(spoil_in_a_child, (void *)(intptr_t)_i), 0);
	fails_saying(ferry_open(&l, "jobs", FERRY_RECV), spoilt[_i].err,
		     "jobs cannot be used");
	fails(ferryi_segment_open(&g, r, "jobs"), spoilt[_i].err);
	fails(ferryi_segment_create(&g, r, "jobs", &c, 0600, -1),
	      spoilt[_i].err);
	ck_assert(exists("jobs"));
	erase("jobs");
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_directory_or_a_fifo_in_place_of_a_segment_is_refused)
{
	struct ferryi_realm *r = join();
	struct ferryi_segment *g;
	char path[300];

	sub(path, "jobs");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fails(ferryi_segment_open(&g, r, "jobs"), -EBADMSG);
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_lt(ferryi_segment_open(&g, r, "jobs"), 0);
	rmdir(path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	fails(ferryi_segment_open(&g, r, "jobs"), -EINVAL);
	unlink(path);
	ferryi_realm_leave(r);
}
END_TEST

/* --- creation ---------------------------------------------------------------------- */

static int count_name(const char *name, void *arg)
{
	*(unsigned *)arg += name[0] != 0;
	return 0;
}

static unsigned names(struct ferryi_realm *r)
{
	unsigned n = 0;

	ok(ferryi_each_name(r->dir, count_name, &n));
	return n;
}

START_TEST(a_creation_that_fails_leaves_nothing)
{
	struct ferryi_choice c = small();
	struct ferryi_realm *r = join();
	struct ferryi_segment *g;
	struct rlimit limit = { 8192, 8192 };

	c.capacity = 0;
	fails_saying(ferryi_segment_create(&g, r, "a", &c, 0600, -1), -EINVAL,
		     "capacity");
	c = small();
	c.capacity = 1000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fails_saying(ferryi_segment_create(&g, r, "a", &c, 0600, -1), -ENOSPC,
		     "free");
	ck_assert_uint_eq(names(r), 1);
	ferryi_realm_leave(r);
}
END_TEST

#define CREATE_ROUNDS 50

static void create_each_round(void *arg)
{
	struct ferryi_realm *r = join();
	struct ferryi_choice c = small();

	(void)arg;
	for (uint32_t i = 1; i <= CREATE_ROUNDS; i++) {
		struct ferryi_segment *g;
		int e;

		gate_add(&s->ready);
		gate_await(&s->ready, 2 * i);
		e = ferryi_segment_create(&g, r, "jobs", &c, 0600, -1);
		ck_assert(e == 0 || e == -EEXIST);
		__atomic_add_fetch(&s->count[e != 0], 1, __ATOMIC_SEQ_CST);
		gate_add(&s->end);
		gate_await(&s->end, 2 * i);
		ferryi_segment_close(g);
		gate_add(&s->go);
		gate_await(&s->go, 2 * i);
	}
	ferryi_realm_leave(r);
}

START_TEST(of_two_creators_one_wins)
{
	pid_t a = child(create_each_round, NULL);
	pid_t b = child(create_each_round, NULL);

	expect_exit(a, 0);
	expect_exit(b, 0);
	ck_assert_uint_eq(s->count[0], CREATE_ROUNDS);
	ck_assert_uint_eq(s->count[1], CREATE_ROUNDS);
	ck_assert(!exists("jobs"));
}
END_TEST

#define CLOSE_ROUNDS 500

static void open_and_close(void *arg)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l;

	(void)arg;
	o.capacity = 4;
	o.message_max = 64;
	o.full = FERRY_FULL_DROP_OLD;
	o.flags = FERRY_CREATE_IF_MISSING;
	gate_add(&s->ready);
	gate_await(&s->ready, 2);
	for (unsigned i = 0; i < CLOSE_ROUNDS; i++) {
		ok(ferry_mailbox_create(&l, "jobs", &o));
		ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
		ferry_close(l);
	}
}

START_TEST(nobody_opens_what_the_last_user_is_removing)
{
	pid_t a = child(open_and_close, NULL);
	pid_t b = child(open_and_close, NULL);

	expect_exit(a, 0);
	expect_exit(b, 0);
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(a_mailbox_of_processes_is_gone_after_its_last_close)
{
	struct ferry_link *a = make("jobs", FERRY_PERSIST_PROCESS), *b;

	ok(ferry_open(&b, "jobs", FERRY_RECV));
	ferry_close(a);
	ck_assert(exists("jobs"));
	ferry_close(b);
	ck_assert(!exists("jobs"));
	fails_saying(ferry_open(&b, "jobs", FERRY_RECV), -ENOENT, "jobs");
	ferry_close(make("kept", FERRY_PERSIST_KERNEL));
	ck_assert(exists("kept"));
	ok(ferry_destroy("kept"));
	ck_assert(!exists("kept"));
}
END_TEST

static void make_and_stay(void *arg)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);

	(void)arg;
	ok(ferry_send(l, "old", 3, FERRY_NOWAIT));
	gate_add(&s->ready);
	stay();
}

static void leave_it_abandoned(void)
{
	uint32_t before = gate_count(&s->ready);
	pid_t pid = child(make_and_stay, NULL);

	gate_await(&s->ready, before + 1);
	kill_child(pid);
	ck_assert(exists("jobs"));
}

START_TEST(an_abandoned_mailbox_is_gone_at_the_next_open_create_or_gc)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_garbage *g;
	struct ferry_link *l;
	size_t n;

	leave_it_abandoned();
	fails(ferry_open(&l, "jobs", FERRY_RECV), -ENOENT);
	ck_assert(!exists("jobs"));

	s->ready = 0;
	leave_it_abandoned();
	l = make("jobs", FERRY_PERSIST_PROCESS);
	ok(ferry_stat(l, &st));
	ck_assert_uint_eq(st.queued, 0);
	ferry_close(l);

	s->ready = 0;
	leave_it_abandoned();
	ok(ferry_gc(NULL, true, &g, &n));
	ck_assert_uint_gt(n, 0);
	ferry_free(g);
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(who_is_in_the_realm_already_finds_an_abandoned_mailbox_too)
{
	struct ferryi_realm *r = join();
	struct ferry_link *l;

	leave_it_abandoned();
	fails(ferry_open(&l, "jobs", FERRY_RECV), -ENOENT);
	ck_assert(!exists("jobs"));
	ferryi_realm_leave(r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("segment");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, a_registry_that_makes_no_sense_is_refused, 0,
			    N_SPOILT);
	tcase_add_loop_test(t, a_segment_that_makes_no_sense_is_refused, 0,
			    N_SPOILT);
	tcase_add_test(t,
		       a_directory_or_a_fifo_in_place_of_a_segment_is_refused);
	tcase_add_test(t, a_creation_that_fails_leaves_nothing);
	tcase_add_test(t, of_two_creators_one_wins);
	tcase_add_test(t, nobody_opens_what_the_last_user_is_removing);
	tcase_add_test(t, a_mailbox_of_processes_is_gone_after_its_last_close);
	tcase_add_test(
		t, an_abandoned_mailbox_is_gone_at_the_next_open_create_or_gc);
	tcase_add_test(
		t, who_is_in_the_realm_already_finds_an_abandoned_mailbox_too);
	return unit_main(t, "segment");
}
