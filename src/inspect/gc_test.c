/* SPDX-License-Identifier: MIT */
/* What is left of the dead is removed, and nothing else. */
#include "inspect/inspect_test.h"

static unsigned gc(bool apply)
{
	struct ferry_garbage *g;
	unsigned removed = 0;
	size_t n;

	ok(ferry_gc(NULL, apply, &g, &n));
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_gt(strlen(g[i].why), 10);
		ck_assert_int_eq(strncmp(g[i].path, realm_path(),
					 strlen(realm_path())),
				 0);
		ck_assert(apply || !g[i].removed);
		removed += g[i].removed;
	}
	ferry_free(g);
	return apply ? removed : (unsigned)n;
}

START_TEST(gc_changes_nothing_unless_it_is_told_to)
{
	struct ferry_link *l = furnish();
	struct ferry_user *u;
	size_t n;

	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(gc(false), 2); /* a mailbox and a lease */
		check_list(NULL);
	}
	ok(ferry_who(NULL, NULL, &u, &n));
	ck_assert_uint_eq(n, 2);
	ferry_free(u);
	ck_assert_uint_ge(gc(true), 1);
	check_list("b-abandoned");
	ck_assert_uint_eq(gc(false), 0);
	ok(ferry_who(NULL, NULL, &u, &n));
	ck_assert_uint_eq(n, 1);
	ferry_free(u);
	clear(l);
}
END_TEST

static void nothing(void *arg)
{
	(void)arg;
}

START_TEST(gc_removes_an_unfinished_file_only_of_a_dead_maker)
{
	pid_t dead = child(nothing, NULL);
	char gone[64], mine[64];

	expect_exit(dead, 0);
	snprintf(gone, sizeof gone, ".unfinished.%d.1", (int)dead);
	snprintf(mine, sizeof mine, ".unfinished.%d.1", (int)getpid());
	scribble(gone, "x", 1, 0);
	scribble(mine, "x", 1, 0);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(gone));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(gone));
	ck_assert(exists(mine));
	erase(mine);
}
END_TEST

static void listen_and_stay(void *arg)
{
	struct ferry_link *door;

	ok(ferry_listen(&door, arg));
	gate_add(&s->ready);
	stay();
}

START_TEST(gc_removes_a_door_only_when_nobody_listens_behind_it)
{
	struct ferry_link *living, *l, *peer;
	pid_t pid;

	ok(ferry_listen(&living, "channel:living"));
	pid = child(listen_and_stay, (void *)(uintptr_t) "channel:dead");
	gate_await(&s->ready, 1);
	ck_assert_uint_eq(gc(true), 0);
	kill_child(pid);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(".channel.dead"));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(".channel.dead"));
	/* the living one had visitors, who are in nobody's way */
	ok(ferry_open(&l, "channel:living", FERRY_DUPLEX));
	ok(ferry_accept(living, &peer, FERRY_FOREVER));
	ferry_close(peer);
	ferry_close(l);
	ferry_close(living);
}
END_TEST

START_TEST(gc_removes_the_registry_of_a_realm_that_nobody_uses)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);

	ck_assert_uint_eq(gc(true), 0);
	ck_assert(exists(".ferry"));
	ferry_close(l);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(".ferry"));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(".ferry"));
	ck_assert_uint_eq(gc(true), 0);
}
END_TEST

/* Send, take, hold, give back: until told to end. */
static void work(void *arg)
{
	struct ferry_link *l = make(arg, FERRY_PERSIST_PROCESS);
	struct ferry_message held, m;
	uint64_t id = 0, got;

	ok(ferry_send(l, "held", 4, FERRY_NOWAIT));
	ok(ferry_take(l, &held, FERRY_NOWAIT));
	gate_add(&s->ready);
	while (!gate_count(&s->end)) {
		id++;
		ok(ferry_send(l, &id, sizeof id, FERRY_NOWAIT));
		ok(ferry_take(l, &m, FERRY_NOWAIT));
		memcpy(&got, m.data, sizeof got);
		ck_assert_uint_eq(got, id);
		ck_assert(!m.redelivered);
		ok(ferry_release(&m));
	}
	ck_assert_mem_eq(held.data, "held", 4);
	ok(ferry_release(&held));
	ferry_close(l);
}

START_TEST(gc_never_touches_what_a_living_process_uses)
{
	char one[] = "one", two[] = "two";
	pid_t a = child(work, one), b = child(work, two);

	gate_await(&s->ready, 2);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(gc(true), 0);
	gate_add(&s->end);
	expect_exit(a, 0);
	expect_exit(b, 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("gc");

	tcase_add_checked_fixture(t, setup, clean);
	tcase_add_test(t, gc_changes_nothing_unless_it_is_told_to);
	tcase_add_test(t, gc_removes_an_unfinished_file_only_of_a_dead_maker);
	tcase_add_test(t, gc_removes_a_door_only_when_nobody_listens_behind_it);
	tcase_add_test(t, gc_removes_the_registry_of_a_realm_that_nobody_uses);
	tcase_add_test(t, gc_never_touches_what_a_living_process_uses);
	return unit_main(t, "gc");
}
