/* SPDX-License-Identifier: MIT */
/* Logs that are renamed while a sender is in the middle, and senders that fork. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "conform.h"
#include "file.h"

static void set_lock(int fd, short type)
{
	struct flock lock = senders_lock(type);

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

static off_t size_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_size;
}

/* This test is the other sender: it has the lock and has seen the name. */
START_TEST(a_record_that_is_written_after_the_renaming_is_read)
{
	char old[120], record[200];
	off_t end;
	ssize_t n;
	int fd;

	open_log("", "");
	fd = open(log_path, O_RDWR | O_CLOEXEC);
	send_text(sender, "one");
	end = size_of(fd);
	send_text(sender, "two");
	n = pread(fd, record, sizeof record, end);
	ck_assert_int_eq(ftruncate(fd, end), 0);
	expect_text(receiver, "one");
	set_lock(fd, F_WRLCK);
	snprintf(old, sizeof old, "%s.1", log_path);
	ck_assert_int_eq(rename(log_path, old), 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	fails(receiver, ferry_next_len(receiver), -EAGAIN);
	ck_assert_int_eq(pwrite(fd, record, (size_t)n, end), n);
	set_lock(fd, F_UNLCK);
	expect_text(receiver, "two");
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ESTALE);
	says(receiver, -ESTALE, "removed");
	close(fd);
	ck_assert_int_eq(rename(old, log_path), 0);
	end_log();
}
END_TEST

/* --- forks ----------------------------------------------------------------------- */

/* The descriptor by which `sender` locks. */
static int descriptor_of_the_log(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct stat log, st;
	struct dirent *e;
	int found = -1;

	ck_assert_int_eq(stat(log_path, &log), 0);
	while ((e = readdir(d)))
		if (fstat(atoi(e->d_name), &st) == 0 &&
		    st.st_ino == log.st_ino && st.st_dev == log.st_dev)
			found = atoi(e->d_name);
	closedir(d);
	ck_assert_int_ge(found, 0);
	return found;
}

static int told[2], end_of_it[2];

static void stay_beside(void *arg)
{
	char c;

	(void)arg;
	close(end_of_it[1]);
	_exit(write(told[1], "", 1) != 1 || read(end_of_it[0], &c, 1) != 0);
}

/* Closing drops the lock as the death of a sender in the middle does. */
START_TEST(a_forked_child_does_not_keep_its_parents_lock)
{
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(told) | pipe(end_of_it), 0);
	ok(NULL, ferry_open(&sender, log_at(""), FERRY_SEND));
	send_text(sender, "first");
	set_lock(descriptor_of_the_log(), F_WRLCK);
	pid = child(stay_beside, NULL);
	ck_assert_int_eq(read(told[0], &c, 1), 1);
	close_end(&sender);
	ok(NULL, ferry_open(&sender, log_at(""), FERRY_SEND));
	ok(sender, ferry_send(sender, "second", 6, FERRY_NOWAIT));
	close(end_of_it[1]);
	expect_exit(pid, 0);
	close(end_of_it[0]);
	close(told[0]);
	close(told[1]);
	end_log();
}
END_TEST

static void send_to_another(void *what)
{
	fails(sender, ferry_send(sender, "x", 1, SOON), -ESTALE);
	says(sender, -ESTALE, what);
	fails(sender, ferry_send(sender, "x", 1, SOON), -ESTALE);
	close_ends();
	_exit(0);
}

static void send_own(void *arg)
{
	(void)arg;
	send_text(sender, "child");
	close_ends();
	_exit(0);
}

START_TEST(a_forked_child_sends_to_the_same_file_or_to_none)
{
	struct ferry_link *other;
	char old[120];

	open_log("", "");
	expect_exit(child(send_own, NULL), 0);
	send_text(sender, "parent");
	expect_text(receiver, "child");
	expect_text(receiver, "parent");
	snprintf(old, sizeof old, "%s.1", log_path);
	ck_assert_int_eq(rename(log_path, old), 0);
	expect_exit(child(send_to_another, (void *)"removed"), 0);
	ok(NULL, ferry_open(&other, log_at(""), FERRY_SEND));
	expect_exit(child(send_to_another, (void *)"replaced"), 0);
	ferry_close(other);
	ck_assert_int_eq(rename(old, log_path), 0);
	send_text(sender, "again");
	expect_text(receiver, "again");
	end_log();
}
END_TEST

void add_file_rotate_tests(TCase *tc)
{
	tcase_add_test(tc, a_record_that_is_written_after_the_renaming_is_read);
	tcase_add_test(tc, a_forked_child_does_not_keep_its_parents_lock);
	tcase_add_test(tc, a_forked_child_sends_to_the_same_file_or_to_none);
}
