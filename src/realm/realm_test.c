/* SPDX-License-Identifier: MIT */
/* Names, and the directories that they lead to. */
#include "realm/realm_test.h"

/* --- names -------------------------------------------------------------------- */

static const struct {
	const char *text, *directory, *name;
} good[] = {
	{ "jobs", NULL, "jobs" },
	{ "mailbox:jobs", NULL, "jobs" },
	{ "a.b-c_d e", NULL, "a.b-c_d e" },
	{ "\xc3\xa4", NULL, "\xc3\xa4" },
	{ "./jobs", ".", "jobs" },
	{ "./dir/jobs", "./dir", "jobs" },
	{ "mailbox:./dir/jobs", "./dir", "jobs" },
	{ "/jobs", "/", "jobs" },
	{ "/a/.b/jobs", "/a/.b", "jobs" },
};

START_TEST(a_name_leads_to_a_directory_and_a_name_in_it)
{
	struct ferryi_place p;

	ok(ferryi_place_parse(&p, good[_i].text));
	ck_assert_str_eq(p.directory, good[_i].directory ? good[_i].directory :
							   realm_path());
	ck_assert_str_eq(p.name, good[_i].name);
	ck_assert_int_eq(p.is_default, good[_i].directory == NULL);
}
END_TEST

static const char *const bad[] = {
	"",	"mailbox:", "./",	"/",	  ".",
	"..",	".hidden",  "dir/.x",	"dir/..", "a\nb",
	"a\tb", "\x01",	    "a\x7f",	"a:b",	  "a?b",
	"dir/", "a/b/",	    "jobs?x=1", "unix:x", "mailbox:mailbox:jobs",
};

START_TEST(a_name_that_is_none_is_refused_with_a_sentence)
{
	struct ferryi_place p;

	fails_saying(ferryi_place_parse(&p, bad[_i]), -EINVAL, "name");
}
END_TEST

START_TEST(names_have_at_most_200_bytes)
{
	static const int sizes[] = { 1, 200, 201, 300 };
	struct ferryi_place p;
	char text[400];

	for (unsigned i = 0; i < 4; i++)
		for (unsigned prefix = 0; prefix < 2; prefix++) {
			int n = snprintf(text, sizeof text, "%s",
					 prefix ? "./" : "");

			memset(text + n, 'x', (size_t)sizes[i]);
			text[n + sizes[i]] = 0;
			if (sizes[i] <= 200)
				ok(ferryi_place_parse(&p, text));
			else
				fails_saying(ferryi_place_parse(&p, text),
					     -EINVAL, "at most 200");
		}
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	static char text[6000];
	struct ferryi_place p;

	memset(text, 'd', sizeof text);
	memcpy(text + sizeof text - 6, "/jobs", 6);
	fails_saying(ferryi_place_parse(&p, text), -EINVAL, "at most 4095");
	text[4090] = 0;
	memcpy(text + 4085, "/jobs", 6);
	ok(ferryi_place_parse(&p, text));
}
END_TEST

START_TEST(the_default_realm_is_that_of_the_environment_or_of_the_user)
{
	char buf[4096], wanted[100];
	static char text[5000];
	struct stat st;

	ok(ferryi_realm_default(buf, sizeof buf));
	ck_assert_str_eq(buf, getenv("FERRY_REALM"));
	setenv("FERRY_REALM", "/somewhere/else", 1);
	ck_assert_int_eq(ferryi_realm_default(buf, sizeof buf), 15);
	ck_assert_str_eq(buf, "/somewhere/else");
	memset(text, 'x', sizeof text - 1);
	setenv("FERRY_REALM", text, 1);
	fails_saying(ferryi_realm_default(buf, sizeof buf), -EINVAL,
		     "FERRY_REALM");
	for (int i = 0; i < 2; i++) { /* empty is the same as unset */
		if (i)
			unsetenv("FERRY_REALM");
		else
			setenv("FERRY_REALM", "", 1);
		snprintf(wanted, sizeof wanted, "/run/ferry/%u", geteuid());
		if (lstat(wanted, &st) != 0)
			snprintf(wanted, sizeof wanted, "/dev/shm/ferry-%u",
				 geteuid());
		ok(ferryi_realm_default(buf, sizeof buf));
		ck_assert_str_eq(buf, wanted);
	}
}
END_TEST

/* A daemon has looked before it gives up being root. */
START_TEST(who_changes_its_user_has_another_default_realm)
{
	char before[4096], after[4096];

	unsetenv("FERRY_REALM");
	ok(ferryi_realm_default(before, sizeof before));
	if (seteuid(geteuid() + 12345) != 0)
		return; /* which only root may */
	ok(ferryi_realm_default(after, sizeof after));
	ck_assert_int_eq(seteuid(getuid()), 0);
	ck_assert_str_ne(before, after);
}
END_TEST

/* --- directories --------------------------------------------------------------- */

START_TEST(a_realm_that_is_missing_is_made_for_the_user_alone)
{
	char path[300];
	struct stat st;
	int fd;

	sub(path, "new");
	fails_saying(ferryi_realm_directory(path, false), -ENOENT, path);
	umask(0);
	fd = ferryi_realm_directory(path, true);
	ok(fd);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	close(fd);
	ck_assert_int_eq(rmdir(path), 0);
	sub(path, "no/where");
	fails(ferryi_realm_directory(path, true), -ENOENT);
}
END_TEST

START_TEST(a_realm_that_is_a_symlink_or_a_file_is_refused)
{
	char path[300], target[300];
	struct ferryi_realm *r;

	sub(path, "link");
	sub(target, "target");
	mkdir(target, 0700);
	ck_assert_int_eq(symlink(target, path), 0);
	fails_saying(ferryi_realm_directory(path, false), -EACCES,
		     "symbolic link");
	fails(ferryi_realm_join(&r, path, FERRYI_MAKE_DIRECTORY), -EACCES);
	unlink(path);
	rmdir(target);
	scribble("link", "x", 1, 0);
	fails_saying(ferryi_realm_directory(path, true), -EACCES,
		     "no directory");
	unlink(path);
}
END_TEST

START_TEST(a_realm_that_everybody_may_write_to_is_refused)
{
	char path[300];

	sub(path, "open");
	mkdir(path, 0700);
	chmod(path, 01777);
	fails_saying(ferryi_realm_directory(path, false), -EACCES, "1777");
	chmod(path, 0770);
	ok(ferryi_realm_directory(path, false));
	rmdir(path);
}
END_TEST

START_TEST(the_automatic_realm_of_another_uid_is_refused)
{
	char path[100];
	int fd;

	if (geteuid() != 0)
		return;
	unsetenv("FERRY_REALM");
	snprintf(path, sizeof path, "/dev/shm/ferry-%u", geteuid());
	if (mkdir(path, 0700) != 0)
		return; /* in use: the runner could not give us our own */
	fd = ferryi_realm_directory(path, false);
	ok(fd);
	close(fd);
	ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
	fails_saying(ferryi_realm_directory(path, false), -EACCES,
		     "belongs to uid 12345");
	ck_assert_int_eq(chown(path, 0, (gid_t)-1), 0);
	chmod(path, 0770);
	fails_saying(ferryi_realm_directory(path, false), -EACCES, "0770");
	rmdir(path);
}
END_TEST

/* --- descriptors --------------------------------------------------------------- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* What a program writes to its output must not end in our files. */
static void use_a_realm_with_closed_descriptors(void *arg)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *made, *opened;

	(void)arg;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
	if (ferry_mailbox_create(&made, "jobs", &o) < 0 ||
	    ferry_open(&opened, "jobs", FERRY_SEND) < 0 ||
	    ferry_send(opened, "x", 1, FERRY_NOWAIT) < 0)
		_exit(1);
	if (is_open(0) || is_open(1) || is_open(2))
		_exit(2);
	ferry_close(opened);
	ferry_destroy("jobs");
	ferry_close(made);
}

START_TEST(what_is_kept_of_a_realm_is_never_a_standard_descriptor)
{
	expect_exit(child(use_a_realm_with_closed_descriptors, NULL), 0);
}
END_TEST

START_TEST(a_registry_of_somebody_else_is_said_to_have_no_format)
{
	struct ferryi_realm *r = join();
	uint32_t other = 77;

	ferryi_realm_leave(r);
	scribble(".ferry", &other, sizeof other,
		 offsetof(struct ferryi_preamble, format));
	fails_saying(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_NOTHING),
		     -EPROTO, "format 77, mine is");
	scribble(".ferry", "x", 1, offsetof(struct ferryi_preamble, magic));
	fails_saying(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_NOTHING),
		     -EBADMSG, "ferry's (move it away");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("realm");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, a_name_leads_to_a_directory_and_a_name_in_it, 0,
			    sizeof good / sizeof good[0]);
	tcase_add_loop_test(t, a_name_that_is_none_is_refused_with_a_sentence,
			    0, sizeof bad / sizeof bad[0]);
	tcase_add_test(t, names_have_at_most_200_bytes);
	tcase_add_test(t, a_path_that_is_too_long_is_refused);
	tcase_add_test(
		t, the_default_realm_is_that_of_the_environment_or_of_the_user);
	tcase_add_test(t, who_changes_its_user_has_another_default_realm);
	tcase_add_test(t, a_realm_that_is_missing_is_made_for_the_user_alone);
	tcase_add_test(t, a_realm_that_is_a_symlink_or_a_file_is_refused);
	tcase_add_test(t, a_realm_that_everybody_may_write_to_is_refused);
	tcase_add_test(t, the_automatic_realm_of_another_uid_is_refused);
	tcase_add_test(t,
		       what_is_kept_of_a_realm_is_never_a_standard_descriptor);
	tcase_add_test(t,
		       a_registry_of_somebody_else_is_said_to_have_no_format);
	return unit_main(t, "realm");
}
