/* SPDX-License-Identifier: MIT */
/*
 * What can be wrong with a realm and with the files in it.  The offsets are
 * those of doc/format.md.
 */
#include "fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_FORMAT   8
#define AT_CAPACITY 72

static void look_says(const char *name, enum ferry_state state)
{
	struct ferry_object o;

	works(NULL, ferry_look(name, &o));
	ck_assert_msg(o.state == state, "state %d, not %d: %s", o.state, state,
		      o.why);
	ck_assert(o.why[0]);
}

/* A realm that somebody uses has a registry; others are not searched. */
static void use_the_realm(void)
{
	ferry_close(make_box("neighbour", 4, FERRY_PERSIST_KERNEL));
}

START_TEST(a_foreign_file_is_left_alone)
{
	struct ferry_link *link;

	use_the_realm();
	scribble("box", 0, "this is a letter to my aunt, nothing else", 41);
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EBADMSG, "box");
	look_says("box", FERRY_FOREIGN);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EBADMSG,
		"not a file of ferry's");
	ck_assert(access(path_of("box"), F_OK) == 0);
}
END_TEST

START_TEST(an_empty_file_is_foreign)
{
	struct ferry_link *link;

	use_the_realm();
	scribble("box", 0, "", 0);
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EBADMSG, "box");
}
END_TEST

START_TEST(another_version_is_refused_and_both_are_named)
{
	uint32_t version = 77;
	struct ferry_link *link;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	scribble("box", AT_FORMAT, &version, sizeof(version));
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EPROTO, "77");
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EPROTO, "1");
	look_says("box", FERRY_OTHER_VERSION);
}
END_TEST

START_TEST(a_damaged_header_is_refused)
{
	uint64_t capacity = (uint64_t)1 << 50;
	struct ferry_link *link;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	scribble("box", AT_CAPACITY, &capacity, sizeof(capacity));
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EBADMSG,
		"damaged");
	look_says("box", FERRY_DAMAGED);
}
END_TEST

START_TEST(a_truncated_mailbox_is_refused)
{
	static const off_t sizes[] = { 10, 100, 4096, 8192, 10000 };
	struct ferry_link *link;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	for (int i = 4; i >= 0; i--) {
		ck_assert(truncate(path_of("box"), sizes[i]) == 0);
		refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EBADMSG,
			"box");
	}
}
END_TEST

START_TEST(other_mailboxes_work_beside_a_damaged_one)
{
	struct ferry_link *good = make_box("good", 4, FERRY_PERSIST_PROCESS);
	struct ferry_object *list;
	size_t n;

	ferry_close(make_box("bad", 4, FERRY_PERSIST_KERNEL));
	ck_assert(truncate(path_of("bad"), 5000) == 0);
	works(NULL, ferry_list(NULL, &list, &n));
	ck_assert_int_eq(n, 2);
	ferry_free(list);
	works(good, ferry_send(good, "x", 1, FERRY_NOWAIT));
	ferry_close(good);
}
END_TEST

START_TEST(things_that_are_no_files_are_refused)
{
	struct ferry_link *link;
	int err;

	use_the_realm();
	ck_assert(mkdir(path_of("dir"), 0700) == 0);
	err = ferry_open(&link, "dir", FERRY_SEND);
	ck_assert_msg(err < 0, "opened a directory");
	ck_assert(symlink("/etc/passwd", path_of("link")) == 0);
	err = ferry_open(&link, "link", FERRY_SEND);
	ck_assert_msg(err < 0 && err != -ENOENT, "followed a link: %d", err);
	ck_assert(mkfifo(path_of("fifo"), 0600) == 0);
	err = ferry_open(&link, "fifo", FERRY_SEND);
	ck_assert_msg(err < 0, "opened a FIFO");
}
END_TEST

START_TEST(the_umask_does_not_matter)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *link, *group;
	struct stat st;

	umask(0777);
	link = make_box("box", 4, FERRY_PERSIST_PROCESS);
	ck_assert(stat(path_of("box"), &st) == 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	o.trust = FERRY_TRUST_GROUP;
	o.mode = 0660;
	works(NULL, ferry_mailbox_create(&group, "group", &o));
	ck_assert(stat(path_of("group"), &st) == 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(umask(0), 0777);
	ferry_close(link);
	ferry_close(group);
}
END_TEST

START_TEST(a_realm_that_is_not_ours_is_refused)
{
	struct ferry_link *link;

	if (geteuid() != 0)
		return; /* only root can make one */
	ck_assert(chown(place.path, 65534, 65534) == 0);
	ck_assert(setresuid(1234, 1234, 0) == 0);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EACCES,
		"1234");
	ck_assert(setresuid(0, 0, 0) == 0);
	ck_assert(chmod(place.path, 0755) == 0);
	ck_assert(setresuid(1234, 1234, 0) == 0);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EACCES,
		"65534");
	ck_assert(setresuid(0, 0, 0) == 0);
}
END_TEST

START_TEST(a_realm_of_somebody_else_is_refused_though_writable)
{
	struct ferry_link *link;

	if (geteuid() != 0)
		return; /* only root can make one */
	ck_assert(chown(place.path, 65534, 65534) == 0);
	ck_assert(chmod(place.path, 0777) == 0);
	ck_assert(setresuid(1234, 1234, 0) == 0);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EACCES,
		place.path);
	ck_assert(setresuid(0, 0, 0) == 0);
}
END_TEST

START_TEST(a_realm_that_is_a_symbolic_link_is_refused)
{
	struct ferry_link *link;
	char name[200];

	snprintf(name, sizeof(name), "%s/elsewhere", place.path);
	ck_assert(symlink("/tmp", name) == 0);
	setenv("FERRY_REALM", name, 1);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EACCES,
		"elsewhere");
}
END_TEST

START_TEST(a_registry_that_is_not_ferrys_is_refused)
{
	struct ferry_link *link;

	scribble(".ferry", 0, "my own diary", 12);
	refused(NULL, ferry_mailbox_create(&link, "box", NULL), -EBADMSG,
		".ferry");
	ck_assert(access(path_of("box"), F_OK) != 0);
}
END_TEST

START_TEST(another_user_may_not_come_in)
{
	struct ferry_link *box, *link;

	if (geteuid() != 0)
		return; /* only root can become somebody else */
	box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	ck_assert(setresuid(65534, 65534, 0) == 0);
	refused(NULL, ferry_open(&link, path_of("box"), FERRY_SEND), -EACCES,
		"");
	ck_assert(setresuid(0, 0, 0) == 0);
	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	ferry_close(box);
}
END_TEST

Suite *files_suite(void)
{
	Suite *s = suite_create("files");
	TCase *t = fault_case("files", 30);

	tcase_add_test(t, a_foreign_file_is_left_alone);
	tcase_add_test(t, an_empty_file_is_foreign);
	tcase_add_test(t, another_version_is_refused_and_both_are_named);
	tcase_add_test(t, a_damaged_header_is_refused);
	tcase_add_test(t, a_truncated_mailbox_is_refused);
	tcase_add_test(t, other_mailboxes_work_beside_a_damaged_one);
	tcase_add_test(t, things_that_are_no_files_are_refused);
	tcase_add_test(t, the_umask_does_not_matter);
	tcase_add_test(t, a_realm_that_is_not_ours_is_refused);
	tcase_add_test(t, a_realm_of_somebody_else_is_refused_though_writable);
	tcase_add_test(t, a_realm_that_is_a_symbolic_link_is_refused);
	tcase_add_test(t, a_registry_that_is_not_ferrys_is_refused);
	tcase_add_test(t, another_user_may_not_come_in);
	suite_add_tcase(s, t);
	return s;
}
