/* SPDX-License-Identifier: MIT */
/* What only pipe: has: ends that become another program's. */
#include <fcntl.h>

#include "conform.h"

static struct ferry_link *ends[2];

static void open_pair(const char *address)
{
	ok(NULL, ferry_pair(ends, address));
	receiver = ends[0];
	sender = ends[1];
}

static int export(struct ferry_link **end)
{
	int fd = ferry_export(*end);

	ok(*end, fd);
	*end = NULL;
	return fd;
}

/* In a child: `fd` becomes `as`, and a shell runs. */
static void become(int fd, int as, const char *command)
{
	dup2(fd, as);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

START_TEST(an_exported_end_is_a_plain_descriptor_that_blocks)
{
	int fd;

	open_pair("pipe:");
	fd = export(&sender);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
			 O_WRONLY);
	ck_assert_int_eq(write(fd, "hi", 2), 2);
	ck_assert_int_eq(ferry_read(receiver, (char[4]){ 0 }, 4, SOON), 2);
	close(fd);
	fails(receiver, ferry_read(receiver, (char[4]){ 0 }, 4, SOON),
	      -ENODATA);
}
END_TEST

START_TEST(a_program_reads_what_is_sent_and_writes_what_is_received)
{
	struct ferry_link *back[2];
	pid_t pid;
	int in, out;

	open_pair("pipe:?framing=line");
	ok(NULL, ferry_pair(back, "pipe:?framing=line"));
	pid = fork();
	if (pid == 0) {
		ferry_close(sender);
		ferry_close(back[0]);
		in = export(&receiver);
		out = export(&back[1]);
		dup2(out, 1);
		become(in, 0, "read -r a && read -r b && echo $b $a");
	}
	close_end(&receiver);
	ferry_close(back[1]);
	send_text(sender, "world");
	send_text(sender, "hello");
	receiver = back[0];
	expect_text(receiver, "hello world");
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ENODATA);
	expect_exit(pid, 0);
}
END_TEST

/* The test runs itself: `conform --child-of-pipe`. */
int child_of_pipe(void)
{
	struct ferry_link *l;
	char buf[20];
	ssize_t n;

	if (ferry_open(&l, "fd:3?framing=line", FERRY_RECV) != 0)
		return 1;
	n = ferry_recv(l, buf, sizeof buf, SOON);
	ferry_close(l);
	return n == 5 && memcmp(buf, "third", 5) == 0 ? 0 : 2;
}

START_TEST(a_program_of_ferrys_opens_it_by_number)
{
	pid_t pid;

	open_pair("pipe:?framing=line");
	pid = fork();
	if (pid == 0) {
		ferry_close(sender);
		dup2(export(&receiver), 3);
		execl("/proc/self/exe", "conform", "--child-of-pipe",
		      (char *)NULL);
		_exit(127);
	}
	close_end(&receiver);
	send_text(sender, "third");
	expect_exit(pid, 0);
}
END_TEST

START_TEST(what_was_read_and_not_delivered_is_not_lost)
{
	int fd;

	open_pair("pipe:?framing=line");
	send_text(sender, "one");
	send_text(sender, "two");
	expect_text(receiver, "one");
	fails(receiver, ferry_export(receiver), -EBUSY);
	expect_text(receiver, "two");
	fd = export(&receiver);
	close(fd);
}
END_TEST

/* Of two descriptors only Ferry makes one, and a link of it again. */
START_TEST(an_end_that_goes_both_ways_becomes_a_parcel)
{
	int fd, plain[2];

	open_pair("pipe:?duplex");
	ok(sender, ferry_write(sender, "there", 5, SOON));
	fd = export(&sender);
	ok(NULL, ferry_adopt(&sender, fd));
	ck_assert_str_eq(ferry_address(sender), "pipe:?duplex");
	ok(sender, ferry_write(sender, "!", 1, SOON));
	ck_assert_int_eq(ferry_read(receiver, (char[9]){ 0 }, 9, SOON), 6);
	ok(receiver, ferry_write(receiver, "back", 4, SOON));
	ck_assert_int_eq(ferry_read(sender, (char[9]){ 0 }, 9, SOON), 4);
	ck_assert_int_eq(pipe2(plain, O_CLOEXEC), 0);
	fails(NULL, ferry_adopt(&sender, plain[0]), -EINVAL);
	close(plain[0]);
	close(plain[1]);
}
END_TEST

START_TEST(one_with_a_framing_cannot)
{
	open_pair("pipe:?duplex&framing=line");
	fails(sender, ferry_export(sender), -EOPNOTSUPP);
	says(sender, -EOPNOTSUPP, "without framing");
}
END_TEST

void add_pipe_tests(TCase *tc)
{
	tcase_add_test(tc, an_exported_end_is_a_plain_descriptor_that_blocks);
	tcase_add_test(
		tc, a_program_reads_what_is_sent_and_writes_what_is_received);
	tcase_add_test(tc, a_program_of_ferrys_opens_it_by_number);
	tcase_add_test(tc, what_was_read_and_not_delivered_is_not_lost);
	tcase_add_test(tc, an_end_that_goes_both_ways_becomes_a_parcel);
	tcase_add_test(tc, one_with_a_framing_cannot);
}
