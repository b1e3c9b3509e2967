/* SPDX-License-Identifier: MIT */
/* Logs that are renamed while a sender is in the middle. */
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

void add_file_rotate_tests(TCase *tc)
{
	tcase_add_test(tc,
		       a_record_that_is_written_after_the_renaming_is_read);
}
