/* SPDX-License-Identifier: MIT */
/*
 * What a process can do to a library behind its back: fork, exec, close every
 * descriptor, have none left.
 */
#include "fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "look.h"

static void use_in_the_child(struct child *c, void *arg)
{
	struct ferry_link *box = arg;
	char buf[8];

	(void)c;
	refused(box, ferry_send(box, "c", 1, FERRY_NOWAIT), -ESTALE, "fork");
	refused(box, ferry_recv(box, buf, 8, FERRY_NOWAIT), -ESTALE,
		"ferry_adopt_after_fork");
	works(box, ferry_adopt_after_fork(box));
	works(box, ferry_send(box, "c", 1, FERRY_NOWAIT));
	ferry_close(box);
}

START_TEST(a_link_is_stale_in_the_child_until_it_is_adopted)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	struct child c;
	char buf[8];

	works(box, ferry_send(box, "p", 1, FERRY_NOWAIT));
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	c = child_start(use_in_the_child, box);
	child_join(&c);
	works(box, ferry_release(&m));
	ck_assert_int_eq(ferry_recv(box, buf, 8, FERRY_NOWAIT), 1);
	ck_assert_int_eq(buf[0], 'c');
	refused(box, ferry_recv(box, buf, 8, FERRY_NOWAIT), -EAGAIN, "");
	ferry_close(box);
}
END_TEST

static void close_unadopted(struct child *c, void *arg)
{
	(void)c;
	ferry_close(arg);
}

START_TEST(a_child_that_closes_takes_nothing_from_its_parent)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	struct child c;

	works(box, ferry_send(box, "p", 1, FERRY_NOWAIT));
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	c = child_start(close_unadopted, box);
	child_join(&c);
	works(box, ferry_release(&m));
	works(box, ferry_send(box, "p", 1, FERRY_NOWAIT));
	ferry_close(box);
}
END_TEST

static struct {
	uintptr_t from, to;
} places[4];

/* Where this process has the memory of channels. */
static unsigned find_places(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[300];
	unsigned n = 0;

	ck_assert_ptr_nonnull(maps);
	while (n < 4 && fgets(line, sizeof line, maps))
		if (strstr(line, "/memfd:ferry") &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2) {
			places[n].from = from;
			places[n++].to = to;
		}
	fclose(maps);
	return n;
}

static void echo_from_elsewhere(struct child *c, void *arg)
{
	char buf[10];

	(void)c;
	for (unsigned i = 0; places[i].to; i++)
		if (mmap((void *)places[i].from, places[i].to - places[i].from,
			 PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			_exit(2);
	works(arg, ferry_adopt_after_fork(arg));
	works(arg, ferry_recv(arg, buf, sizeof buf, FERRY_FOREVER));
	works(arg, ferry_send(arg, buf, 5, FERRY_FOREVER));
}

/* Its parent's places are not mapped in it, and taken by something else. */
START_TEST(a_child_has_its_end_wherever_its_memory_lies)
{
	struct ferry_link *ends[2];
	struct child peer;
	char buf[10];

	works(NULL, ferry_pair(ends, "channel:"));
	works(ends[0], ferry_send(ends[0], "early", 5, FERRY_NOWAIT));
	ck_assert_uint_eq(find_places(), 2);
	peer = child_start(echo_from_elsewhere, ends[1]);
	ferry_close(ends[1]);
	ck_assert_int_eq(ferry_recv(ends[0], buf, sizeof buf, FERRY_FOREVER),
			 5);
	ck_assert_mem_eq(buf, "early", 5);
	child_join(&peer);
	ferry_close(ends[0]);
}
END_TEST

static void take_and_exec(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;

	(void)arg;
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	child_tell(c);
	execlp("sleep", "sleep", "1000", (char *)NULL);
}

START_TEST(exec_gives_back_what_was_held)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	struct child c;

	works(box, ferry_send(box, "p", 1, FERRY_NOWAIT));
	c = child_start(take_and_exec, NULL);
	child_hear(&c);
	works(box, ferry_take(box, &m, ferry_after(FERRY_S(10))));
	ck_assert(m.redelivered);
	works(box, ferry_release(&m));
	child_kill(&c);
	ferry_close(box);
}
END_TEST

/* Everything above stderr, but the two pipes to the parent. */
static void close_all(struct child *c)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fd != c->to && fd != c->from)
			close(fd);
}

static void close_and_use(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;

	(void)arg;
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	close_all(c);
	child_tell(c);
	child_hear(c);
	works(box, ferry_release(&m));
	works(box, ferry_send(box, "still here", 10, FERRY_NOWAIT));
}

START_TEST(who_closed_every_descriptor_is_not_dead)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_garbage *g = NULL;
	struct child c;
	char buf[20];
	size_t n;

	works(box, ferry_send(box, "p", 1, FERRY_NOWAIT));
	c = child_start(close_and_use, NULL);
	child_hear(&c);
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	refused(box, ferry_recv(box, buf, 20, FERRY_NOWAIT), -EAGAIN, "");
	child_tell(&c);
	child_join(&c);
	ck_assert_int_eq(ferry_recv(box, buf, 20, FERRY_NOWAIT), 10);
	ferry_close(box);
}
END_TEST

static int exhaust(int *fds, int max)
{
	int n = 0;

	while (n < max && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	return n;
}

START_TEST(no_descriptor_left_is_said_so)
{
	struct rlimit few = { 300, 300 };
	struct ferry_link *link, *box;
	int fds[300], n;

	ferry_close(make_box("other", 4, FERRY_PERSIST_KERNEL));
	ck_assert(setrlimit(RLIMIT_NOFILE, &few) == 0);
	n = exhaust(fds, 300);
	refused(NULL, ferry_open(&link, "other", FERRY_SEND), -EMFILE,
		"descriptor");
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EMFILE,
		"descriptor");
	while (n > 0)
		close(fds[--n]);
	box = open_box("other");
	n = exhaust(fds, 300);
	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	ck_assert_int_eq(ferry_next_len(box), 1);
	while (n > 0)
		close(fds[--n]);
	ferry_close(box);
	works(NULL, ferry_destroy("other"));
}
END_TEST

START_TEST(a_link_leaves_no_descriptor_behind)
{
	int before = look_count_fds(), before_link;

	before_link = before;
	for (int i = 0; i < 50; i++) {
		struct ferry_link *link;

		ferry_close(make_box("box", 4, FERRY_PERSIST_PROCESS));
		ck_assert_int_eq(ferry_open(&link, "none", FERRY_SEND),
				 -ENOENT);
		if (i == 0)
			before_link = look_count_fds();
	}
	ck_assert_int_le(look_count_fds(), before_link);
	ck_assert_int_le(look_count_fds(), before);
}
END_TEST

Suite *process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *t = fault_case("process", 60);

	tcase_add_test(t, a_link_is_stale_in_the_child_until_it_is_adopted);
	tcase_add_test(t, a_child_that_closes_takes_nothing_from_its_parent);
	tcase_add_test(t, a_child_has_its_end_wherever_its_memory_lies);
	tcase_add_test(t, exec_gives_back_what_was_held);
	tcase_add_test(t, who_closed_every_descriptor_is_not_dead);
	tcase_add_test(t, no_descriptor_left_is_said_so);
	tcase_add_test(t, a_link_leaves_no_descriptor_behind);
	suite_add_tcase(s, t);
	return s;
}
