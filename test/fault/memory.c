/* SPDX-License-Identifier: MIT */
/*
 * A file system of 1 MiB: every call says so in time; nobody gets SIGBUS, and
 * what was accepted stays.
 */
#include "fault.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "payload.h"

/* Put a small file system over the realm; false where that is not allowed. */
static bool make_room_scarce(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", place.path, "tmpfs", 0, "size=1m,mode=0700")) {
		printf("not tried, no mounts are allowed here: %s\n",
		       strerror(errno));
		return false;
	}
	return true;
}

static void restore_room(void)
{
	scratch_empty(&place);
	umount2(place.path, MNT_DETACH);
}

START_TEST(a_mailbox_too_large_for_its_file_system_is_refused)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *box;
	char names[200];

	if (!make_room_scarce())
		return;
	o.capacity = 1 << 24;
	o.persistence = FERRY_PERSIST_KERNEL;
	if (ferry_mailbox_create(&box, "box", &o) == 0) {
		ferry_close(box); /* sparse: fails later, see below */
		works(NULL, ferry_destroy("box"));
	}
	scratch_names(&place, names, sizeof(names));
	ck_assert_msg(!names[0] || strcmp(names, ".ferry") == 0, "%s", names);
	restore_room();
}
END_TEST

/* Send number n and so on until there is no room; returns the next number. */
static long fill(struct ferry_link *box, char *buf, size_t size, long n)
{
	int err;

	for (;;) {
		payload_fill(buf, size, n);
		err = ferry_send(box, buf, size, FERRY_NOWAIT);
		if (err)
			break;
		n++;
	}
	refused(box, err, -ENOSPC, "KiB");
	return n;
}

static void drain(struct ferry_link *box, long n, size_t size)
{
	struct ferry_message m;

	for (long i = 0; i < n; i++) {
		works(box, ferry_take(box, &m, FERRY_NOWAIT));
		ck_assert_int_eq(payload_check(m.data, m.len, size), i);
		works(box, ferry_release(&m));
	}
}

static void make_room(void)
{
	ck_assert(mount("none", place.path, "tmpfs", MS_REMOUNT,
			"size=8m,mode=0700") == 0);
}

/* The ring moves on to places that have no memory yet: until there is some, an
 * empty mailbox may refuse as well. */
START_TEST(a_full_file_system_is_no_room_and_nothing_is_lost)
{
	static const size_t sizes[] = { 200, 3000, 100000 };
	static char buf[100000];

	for (int i = 0; i < 3; i++) {
		struct ferry_link *box;
		long n, again;

		if (!make_room_scarce())
			return;
		box = make_box("box", 100000, FERRY_PERSIST_PROCESS);
		n = fill(box, buf, sizes[i], 0);
		ck_assert_int_gt(n, 0);
		drain(box, n, sizes[i]);
		again = fill(box, buf, sizes[i], 0);
		ck_assert_int_le(again, n);
		make_room();
		again = fill(box, buf, sizes[i], again);
		ck_assert_int_gt(again, n);
		drain(box, again, sizes[i]);
		ferry_close(box);
		restore_room();
	}
}
END_TEST

START_TEST(the_limit_of_a_mailbox_is_no_room)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	static char buf[10000];
	struct ferry_link *box;
	long n;

	o.capacity = 1000;
	o.message_max = sizeof(buf);
	o.bytes_max = 1 << 20;
	works(NULL, ferry_mailbox_create(&box, "box", &o));
	n = fill(box, buf, sizeof(buf), 0);
	ck_assert_int_gt(n, 0);
	drain(box, n, sizeof(buf));
	ferry_close(box);
}
END_TEST

Suite *memory_suite(void)
{
	Suite *s = suite_create("memory");
	TCase *t = fault_case("memory", 60);

	tcase_add_test(t, a_mailbox_too_large_for_its_file_system_is_refused);
	tcase_add_test(t, a_full_file_system_is_no_room_and_nothing_is_lost);
	tcase_add_test(t, the_limit_of_a_mailbox_is_no_room);
	suite_add_tcase(s, t);
	return s;
}
