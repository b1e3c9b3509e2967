/* SPDX-License-Identifier: MIT */
/* Leases and their registry: processes that come, go, are killed and race. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "realm/realm_test.h"
#include "shm/recover.h"
#include "sys/lock.h"
#include "sys/process.h"

#define REEXEC "FERRY_TEST_REEXEC" /* what main() is to do instead, see below */

/* --- leases --------------------------------------------------------------------- */

static void join_and_tell(void *arg)
{
	struct ferryi_realm *r = join();

	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	ferryi_realm_leave(r);
}

static void join_and_stay(void *arg)
{
	struct ferryi_realm *r = join();

	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	stay();
}

START_TEST(a_process_takes_part_once_and_leaves_with_its_last_reference)
{
	struct ferryi_realm *a = join(), *b = join();

	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(ferryi_realm_owner(a), 0);
	ferryi_realm_leave(a);
	expect_exit(child(join_and_tell, (void *)0), 0);
	ck_assert_uint_eq(s->owner[0], 1);
	ferryi_realm_leave(b);
	expect_exit(child(join_and_tell, (void *)0), 0);
	ck_assert_uint_eq(s->owner[0], 0);
	a = join();
	ck_assert_uint_eq(ferryi_realm_owner(a), 0);
	ferryi_realm_leave(a);
}
END_TEST

/* The word that the kernel would ring if this thread ended now. */
static uint32_t *aim(void)
{
	struct robust_list_head *head;
	size_t len;

	ok((int)syscall(SYS_get_robust_list, 0, &head, &len));
	return head->list_op_pending ?
		       (uint32_t *)((char *)head->list_op_pending +
				    head->futex_offset) :
		       NULL;
}

START_TEST(the_bell_is_aimed_at_while_a_process_takes_part_and_not_after)
{
	struct ferryi_realm *r = join();

	ck_assert_ptr_eq(aim(), &ferryi_realm_registry(r)->control->death);
	ferryi_realm_leave(r);
	ck_assert_ptr_null(aim());
}
END_TEST

#define CROWD 200

static void crowd_member(void *arg)
{
	struct ferryi_realm *r;

	gate_await(&s->go, 1);
	r = join();
	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	gate_await(&s->end, 1);
	ferryi_realm_leave(r);
}

START_TEST(two_hundred_processes_that_join_at_once_have_slots_of_their_own)
{
	bool seen[FERRYI_OWNERS] = { false };
	struct ferryi_realm *r;
	pid_t pid[CROWD];

	for (intptr_t i = 0; i < CROWD; i++)
		pid[i] = child(crowd_member, (void *)i);
	gate_add(&s->go);
	gate_await(&s->ready, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		ck_assert_uint_lt(s->owner[i], FERRYI_OWNERS);
		ck_assert(!seen[s->owner[i]]);
		seen[s->owner[i]] = true;
	}
	gate_add(&s->end);
	for (unsigned i = 0; i < CROWD; i++)
		expect_exit(pid[i], 0);
	r = join();
	for (uint32_t i = 0; i < ferryi_registry_slots(&r->registry); i++)
		ck_assert(i == r->owner ||
			  !ferryi_slot_live(&r->registry.slots[i]));
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_killed_ones_slot_is_reused_only_after_its_repair)
{
	struct ferryi_realm *r = join();
	pid_t pid = child(join_and_stay, (void *)1), third;
	uint32_t epoch;

	gate_await(&s->ready, 1);
	ck_assert_uint_eq(s->owner[1], 1);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 0);
	kill_child(pid);
	ck_assert(ferryi_slot_live(&r->registry.slots[1]));
	/* takes a free slot first, and repairs then, as whoever joins does */
	third = child(join_and_stay, (void *)2);
	gate_await(&s->ready, 2);
	ck_assert_uint_eq(s->owner[2], 2);
	ck_assert(!ferryi_slot_live(&r->registry.slots[1]));
	kill_child(third);
	epoch = r->registry.control->epoch;
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 1);
	ck_assert_uint_ne(r->registry.control->epoch, epoch);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 0);
	expect_exit(child(join_and_tell, (void *)3), 0);
	ck_assert_uint_eq(s->owner[3], 1);
	ferryi_realm_leave(r);
}
END_TEST

/* Leave a child of our own that has our descriptors and so our lock. */
static void join_and_leave_an_orphan(void *arg)
{
	struct ferryi_realm *r = join();
	pid_t pid = arg ? raw_clone() : fork();

	if (pid == 0) {
		gate_add(&s->ready);
		gate_await(&s->end, 1);
		_exit(0);
	}

	s->owner[0] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	stay();
}

START_TEST(a_forked_or_cloned_orphan_does_not_keep_its_parent_alive)
{
	struct ferryi_realm *r = join();
	pid_t pid = child(join_and_leave_an_orphan, _i ? &s : NULL);

	gate_await(&s->ready, 2);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 0);
	kill_child(pid);
	/* the raw clone has the lock still, and nothing could take it away */
	ck_assert_int_eq(ferryi_lock_held(r->fd, s->owner[0], 1), _i);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 1);
	ck_assert(!ferryi_slot_live(&r->registry.slots[s->owner[0]]));
	gate_add(&s->end);
	ferryi_realm_leave(r);
}
END_TEST

static void close_everything(void)
{
	ck_assert_int_eq(syscall(SYS_close_range, 3u, UINT_MAX, 0), 0);
}

static void go_on_without_descriptors(void *arg)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	static char text[100000];
	struct ferry_link *l;
	int alien[32];

	(void)arg;
	if (s->count[0] ==
	    1) { /* a mapping of an older description is reused */
		struct ferryi_realm *r = join();

		ferryi_realm_leave(r);
	}
	o.message_max = sizeof text;
	ok(ferry_mailbox_create(&l, "jobs", &o));
	close_everything();
	gate_add(&s->ready);
	gate_await(&s->go, 1);
	for (int i = 0; i < 32; i++) {
		alien[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(alien[i], 0);
	}
	/* a few need no new memory, and so no descriptor */
	for (unsigned i = 0; i < s->count[1]; i++)
		ok(ferry_send(l, text, s->count[0] == 2 ? 1 : sizeof text,
			      FERRY_NOWAIT));
	gate_add(&s->ready);
	gate_await(&s->go, 2);
	ferry_close(l);
	for (int i = 0; i < 32; i++)
		ck_assert_msg(fcntl(alien[i], F_GETFD) >= 0,
			      "descriptor %d was not ours to close", alien[i]);
}

START_TEST(who_closes_all_descriptors_lives_and_goes_on)
{
	struct ferryi_realm *r = join();
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_link *l;
	pid_t pid;

	s->count[0] = (uint32_t)_i;
	s->count[1] = _i == 2 ? 1 : 60;
	pid = child(go_on_without_descriptors, NULL);
	gate_await(&s->ready, 1);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 0);
	gate_add(&s->go);
	gate_await(&s->ready, 2);
	ck_assert_int_eq(ferryi_realm_look(r, NULL), 0);
	ok(ferry_open(&l, "jobs", FERRY_RECV));
	ok(ferry_stat(l, &st));
	ck_assert_uint_eq(st.queued, s->count[1]);
	gate_add(&s->go);
	expect_exit(pid, 0);
	ferry_close(l);
	ferryi_realm_leave(r);
	ck_assert(!exists("jobs"));
}
END_TEST

/* Take a message and exec: another program, or us again, which joins again. */
static void take_and_exec(void *arg)
{
	struct ferry_message m;
	struct ferry_link *l;

	ok(ferry_open(&l, "jobs", FERRY_RECV));
	ok(ferry_take(l, &m, SOON));
	gate_add(&s->ready);
	if (arg) {
		char path[4096] =
			""; /* valgrind answers this, but not an exec */

		ck_assert(readlink("/proc/self/exe", path, sizeof path - 1) >
			  0);
		setenv(REEXEC, "1", 1);
		execl(path, "again", (char *)NULL);
	}
	execlp("cat", "cat", (char *)NULL);
	_exit(1);
}

/* The new image: joins, says so on its output, and stays until its input ends. */
static int reexec(void)
{
	struct ferry_link *l;
	char c;

	if (ferry_open(&l, "jobs", FERRY_RECV) < 0 || write(1, "j", 1) != 1)
		return 1;
	while (read(0, &c, 1) > 0)
		;
	ferry_close(l);
	return 0;
}

START_TEST(an_exec_ends_the_lease_and_gives_back_what_was_held)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	int in[2], out[2];
	pid_t pid;
	char c;

	ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		take_and_exec(_i ? &s : NULL);
	}
	close(in[0]);
	gate_await(&s->ready, 1);
	if (!_i)
		ck_assert_int_eq(write(in[1], "c", 1), 1);
	ck_assert_int_eq(read(out[0], &c, 1), 1); /* it has begun */
	ok(ferry_take(l, &m, SOON));
	ck_assert(m.redelivered);
	ok(ferry_release(&m));
	close(in[1]);
	expect_exit(pid, 0);
	ferry_close(l);
}
END_TEST

/* --- the registry ---------------------------------------------------------------- */

#define RETIRE_ROUNDS 200u

static bool is_named(const struct ferryi_realm *r)
{
	struct stat st;

	return ferryi_stat_at(r->dir, FERRYI_REGISTRY_NAME, &st) == 0 &&
	       st.st_ino == r->ino;
}

static void come_and_go(void *arg)
{
	struct ferryi_realm *r;

	(void)arg;
	for (unsigned i = 1; i <= RETIRE_ROUNDS; i++) {
		gate_await(&s->go, i);
		r = join();
		ck_assert_msg(is_named(r), "in a registry without a name");
		ferryi_realm_leave(r);
		gate_add(&s->ready);
	}
}

START_TEST(nobody_ends_in_a_registry_that_was_removed)
{
	unsigned removed = 0;
	pid_t pid[4];

	for (unsigned i = 0; i < 4; i++)
		pid[i] = child(come_and_go, NULL);
	for (unsigned i = 1; i <= RETIRE_ROUNDS; i++) {
		gate_add(&s->go);
		do /* while they join and leave */
			removed += ferryi_realm_retire(realm_path(), true) == 1;
		while (gate_count(&s->ready) < 4 * i);
	}
	for (unsigned i = 0; i < 4; i++)
		expect_exit(pid[i], 0);
	ck_assert_uint_gt(removed, 0);
}
END_TEST

START_TEST(a_registry_in_use_is_not_retired)
{
	struct ferryi_realm *r = join();

	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
	ferryi_realm_leave(r);
	scribble("object", "x", 1, 0);
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
	erase("object");
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), false), 1);
	ck_assert(exists(".ferry"));
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 1);
	ck_assert(!exists(".ferry"));
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
}
END_TEST

START_TEST(unlink_removes_the_file_that_was_meant_and_no_newer_one)
{
	struct ferryi_realm *r = join();
	struct stat old, new;
	int fd;

	scribble("a", "x", 1, 0);
	fd = ferryi_open_at(r->dir, "a"); /* keeps its inode number taken */
	ok(ferryi_stat(fd, &old));
	erase("a");
	scribble("a", "y", 1, 0);
	ok(ferryi_realm_unlink(r, "a", &old));
	ck_assert(exists("a"));
	ok(ferryi_stat_at(r->dir, "a", &new));
	ok(ferryi_realm_unlink(r, "a", &new));
	ck_assert(!exists("a"));
	ok(ferryi_realm_unlink(r, "a", &new));
	close(fd);
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_removal_that_was_begun_is_finished_by_the_next_one_who_joins)
{
	struct ferryi_realm *r = join();
	uint32_t retired = 1;

	ferryi_realm_leave(r);
	scribble(FERRYI_REGISTRY_NAME, &retired, sizeof retired,
		 FERRYI_HEADER_BYTES +
			 offsetof(struct ferryi_registry_control, retired));
	r = join(); /* J3: who removed it died before the name went */
	ck_assert(is_named(r));
	ck_assert_uint_eq(r->registry.control->retired, 0);
	ferryi_realm_leave(r);
}
END_TEST

int main(void)
{
	TCase *t;

	if (getenv(REEXEC))
		return reexec();
	t = tcase_create("lease");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(
		t,
		a_process_takes_part_once_and_leaves_with_its_last_reference);
	tcase_add_test(
		t,
		the_bell_is_aimed_at_while_a_process_takes_part_and_not_after);
	tcase_add_test(
		t,
		two_hundred_processes_that_join_at_once_have_slots_of_their_own);
	tcase_add_test(t, a_killed_ones_slot_is_reused_only_after_its_repair);
	tcase_add_loop_test(
		t, a_forked_or_cloned_orphan_does_not_keep_its_parent_alive, 0,
		2);
	tcase_add_loop_test(t, who_closes_all_descriptors_lives_and_goes_on, 0,
			    3);
	tcase_add_loop_test(
		t, an_exec_ends_the_lease_and_gives_back_what_was_held, 0, 2);
	tcase_add_test(t, nobody_ends_in_a_registry_that_was_removed);
	tcase_add_test(t, a_registry_in_use_is_not_retired);
	tcase_add_test(t,
		       unlink_removes_the_file_that_was_meant_and_no_newer_one);
	tcase_add_test(
		t,
		a_removal_that_was_begun_is_finished_by_the_next_one_who_joins);
	return unit_main(t, "lease");
}
