/* SPDX-License-Identifier: MIT */
/* What only fifo: has: its file, who comes first, writers that come and go. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "fifo.h"

char fifo_path[100], fifo_address[160];

void set_fifo(const char *keys)
{
	snprintf(fifo_path, sizeof fifo_path, "%s/fifo", place);
	snprintf(fifo_address, sizeof fifo_address, "fifo:%s%s", fifo_path,
		 keys);
}

bool is_there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static int try_open(const char *keys, unsigned flags)
{
	struct ferry_link *l = NULL;
	int err;

	set_fifo(keys);
	err = ferry_open(&l, fifo_address, flags);
	ferry_close(l);
	return err;
}

static struct ferry_link *open_fifo(const char *keys, unsigned flags)
{
	struct ferry_link *l = NULL;

	set_fifo(keys);
	ok(NULL, ferry_open(&l, fifo_address, flags));
	return l;
}

static void explains(int err, const char *part)
{
	char why[300];

	ferry_explain(NULL, err, why, sizeof why);
	ck_assert_msg(strstr(why, part), "no '%s' in: %s", part, why);
}

static int raw_writer(void)
{
	return open(fifo_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

/* --- who comes first ------------------------------------------------------- */

START_TEST(a_sender_alone_is_told_what_is_missing)
{
	fails(NULL, try_open("?timeout=30ms", FERRY_SEND), -ENOENT);
	explains(-ENOENT, "does not exist");
	ck_assert(!is_there(fifo_path));
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	fails(NULL, try_open("?timeout=30ms", FERRY_SEND), -ETIMEDOUT);
	explains(-ETIMEDOUT, "nobody receives");
	fails(NULL, try_open("?timeout=0", FERRY_SEND), -ETIMEDOUT);
	unlink(fifo_path);
}
END_TEST

static void *open_sender(void *arg)
{
	return (void *)(intptr_t)ferry_open(&sender, arg, FERRY_SEND);
}

START_TEST(a_sender_waits_for_who_receives)
{
	char address[160];
	void *result;
	pthread_t t;

	set_fifo("?timeout=10s");
	memcpy(address, fifo_address, sizeof address);
	pthread_create(&t, NULL, open_sender, address);
	receiver = open_fifo("?framing=line", FERRY_RECV);
	pthread_join(t, &result);
	ok(NULL, (intptr_t)result);
	ok(sender, ferry_write(sender, "here\n", 5, SOON));
	expect_text(receiver, "here");
}
END_TEST

START_TEST(no_writer_yet_is_not_the_end_and_all_gone_is)
{
	char buf[10];
	int fd;

	receiver = open_fifo("", FERRY_RECV);
	fails(receiver, ferry_read(receiver, buf, 1, FERRY_NOWAIT), -EAGAIN);
	fails(receiver, ferry_read(receiver, buf, 1, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	fd = raw_writer();
	fails(receiver, ferry_read(receiver, buf, 1, FERRY_NOWAIT), -EAGAIN);
	ck_assert_int_eq(write(fd, "ab", 2), 2);
	close(fd);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 2);
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ENODATA);
}
END_TEST

/* What it wrote would be read by nobody. */
START_TEST(behind_the_end_a_writer_finds_no_reader)
{
	char buf[10];

	set_fifo("");
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	receiver = open_fifo("", FERRY_RECV);
	close(raw_writer());
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ENODATA);
	ck_assert_int_eq(raw_writer(), -1);
	ck_assert_int_eq(errno, ENXIO);
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ENODATA);
	sender = receiver;
	receiver = open_fifo("", FERRY_RECV); /* the next one may */
	unlink(fifo_path);
}
END_TEST

START_TEST(who_keeps_it_receives_from_writer_after_writer)
{
	char text[10];
	int fd;

	receiver = open_fifo("?keep&framing=line", FERRY_RECV);
	for (int i = 0; i < 3; i++) {
		fd = raw_writer();
		snprintf(text, sizeof text, "log %d\n", i);
		ck_assert_int_eq(write(fd, text, 6), 6);
		close(fd);
		text[5] = 0;
		expect_text(receiver, text);
		fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT),
		      -EAGAIN);
	}
}
END_TEST

START_TEST(a_sender_whose_reader_has_gone_writes_to_no_other_one)
{
	set_fifo("");
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0); /* the same for both */
	receiver = open_fifo("", FERRY_RECV);
	sender = open_fifo("", FERRY_SEND);
	close_end(&receiver);
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	receiver = open_fifo("", FERRY_RECV);
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	unlink(fifo_path);
}
END_TEST

/* --- the file -------------------------------------------------------------- */

START_TEST(who_made_the_file_removes_it)
{
	receiver = open_fifo("", FERRY_RECV);
	ck_assert(is_there(fifo_path));
	close_end(&receiver);
	ck_assert(!is_there(fifo_path));
	receiver = open_fifo("", FERRY_RECV);
	ok(receiver, ferry_shutdown(receiver, FERRY_RECV));
	ck_assert(!is_there(fifo_path));
}
END_TEST

START_TEST(one_that_mkfifo_made_stays)
{
	set_fifo("");
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	receiver = open_fifo("?mode=0644", FERRY_RECV);
	close_end(&receiver);
	ck_assert(is_there(fifo_path));
	unlink(fifo_path);
}
END_TEST

START_TEST(a_child_and_a_replaced_file_are_left_alone)
{
	receiver = open_fifo("", FERRY_RECV);
	if (fork() == 0) {
		ferry_close(receiver);
		_exit(0);
	}
	wait(NULL);
	ck_assert(is_there(fifo_path));
	unlink(fifo_path);
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	close_end(&receiver);
	ck_assert(is_there(fifo_path));
	unlink(fifo_path);
}
END_TEST

START_TEST(the_mode_is_as_given_whatever_the_umask)
{
	struct stat st;

	umask(077);
	receiver = open_fifo("?mode=0622", FERRY_RECV);
	ck_assert_int_eq(stat(fifo_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0622);
	close_end(&receiver);
	receiver = open_fifo("", FERRY_RECV);
	ck_assert_int_eq(stat(fifo_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(what_is_no_fifo_is_refused_and_left_alone)
{
	set_fifo("");
	close(open(fifo_path, O_CREAT | O_WRONLY, 0600));
	fails(NULL, try_open("", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("", FERRY_RECV), -EINVAL);
	explains(-EINVAL, "is no FIFO");
	fails(NULL, ferry_destroy(fifo_address), -EINVAL);
	unlink(fifo_path);
	ck_assert_int_eq(symlink("/dev/null", fifo_path), 0);
	fails(NULL, try_open("", FERRY_RECV), -EINVAL);
	explains(-EINVAL, "symbolic link");
	unlink(fifo_path);
	ck_assert_int_eq(mkdir(fifo_path, 0700), 0);
	fails(NULL, try_open("", FERRY_DUPLEX), -EINVAL);
	rmdir(fifo_path);
}
END_TEST

START_TEST(one_process_at_a_time_receives)
{
	struct ferry_link *door = NULL;

	receiver = open_fifo("", FERRY_RECV);
	fails(NULL, try_open("", FERRY_RECV), -EBUSY);
	fails(NULL, ferry_listen(&door, fifo_address), -EBUSY);
	ck_assert(is_there(fifo_path));
	sender = open_fifo("", FERRY_SEND);
}
END_TEST

static void open_as_nobody(void *arg)
{
	struct ferry_link *l;
	int err = chdir(place) == 0 && seteuid(65534) == 0 ?
			  ferry_open(&l, "fifo:fifo", *(unsigned *)arg) :
			  0;

	_exit(-err);
}

START_TEST(who_may_not_open_it_is_told)
{
	unsigned send = FERRY_SEND, receive = FERRY_RECV;

	skip_unless(geteuid() == 0, "one cannot become another user");
	ck_assert_int_eq(chmod(place, 0755), 0);
	receiver = open_fifo("?mode=0600", FERRY_RECV);
	expect_exit(child(open_as_nobody, &send), EACCES);
	expect_exit(child(open_as_nobody, &receive), EACCES);
	close_end(&receiver); /* and nobody may make one there */
	expect_exit(child(open_as_nobody, &receive), EACCES);
}
END_TEST

START_TEST(without_a_descriptor_nothing_is_left)
{
	struct rlimit all, few;

	set_fifo("");
	getrlimit(RLIMIT_NOFILE, &all);
	for (int n = 0; n < 4; n++) {
		few = all;
		few.rlim_cur = (rlim_t)count_fds() - 2 + (rlim_t)n;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		int err = try_open("?keep", FERRY_RECV);

		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
		if (err)
			ck_assert_int_eq(err, -EMFILE);
		ck_assert(!is_there(fifo_path));
	}
}
END_TEST

START_TEST(destroy_removes_a_fifo)
{
	set_fifo("");
	fails(NULL, ferry_destroy(fifo_address), -ENOENT);
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	ok(NULL, ferry_destroy(fifo_address));
	ck_assert(!is_there(fifo_path));
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
	struct ferry_link *l = NULL;

	fails(NULL, try_open("?keep", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("?keep", FERRY_DUPLEX), -EINVAL);
	fails(NULL, try_open("?keep=1", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("?mode=0600", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("?mode=rw", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("?duplex", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("?duplex", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("?duplex=yes", FERRY_DUPLEX), -EINVAL);
	fails(NULL, ferry_open(&l, "fifo:", FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&l, "fifo:/tmp/", FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&l, "fifo:..", FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&l, "fifo:/no/such/fifo", FERRY_RECV), -ENOENT);
	set_fifo("?keep");
	fails(NULL, ferry_listen(&l, fifo_address), -EINVAL);
	ck_assert(!is_there(fifo_path));
}
END_TEST

/* --- several writers ------------------------------------------------------- */

#define WRITERS 4
#define EACH	200
#define LONGEST 4092 /* with its length, one atomic write */

static void send_letters(void *arg)
{
	static char data[LONGEST];
	struct ferry_link *l = open_fifo("?framing=len32", FERRY_SEND);

	memset(data, *(char *)arg, sizeof data);
	for (int i = 0; i < EACH; i++)
		if (ferry_send(l, data, sizeof data, SOON) != 0)
			_exit(1);
	ferry_close(l);
	_exit(0);
}

START_TEST(messages_of_several_processes_are_not_mixed)
{
	static char buf[LONGEST];
	char letters[WRITERS];
	pid_t pids[WRITERS];
	unsigned got[WRITERS] = { 0 };

	receiver = open_fifo("?framing=len32", FERRY_RECV);
	for (int i = 0; i < WRITERS; i++) {
		letters[i] = (char)('a' + i);
		pids[i] = child(send_letters, &letters[i]);
	}
	for (int i = 0; i < WRITERS * EACH; i++) {
		ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON),
				 LONGEST);
		for (int k = 1; k < LONGEST; k++)
			ck_assert_int_eq(buf[k], buf[0]);
		ck_assert_int_ge(buf[0], 'a');
		ck_assert_int_lt(buf[0], 'a' + WRITERS);
		got[buf[0] - 'a']++;
	}
	for (int i = 0; i < WRITERS; i++) {
		ck_assert_uint_eq(got[i], EACH);
		expect_exit(pids[i], 0);
	}
	fails(receiver, ferry_recv(receiver, buf, 1, SOON), -ENODATA);
}
END_TEST

void add_fifo_tests(TCase *tc)
{
	tcase_add_test(tc, a_sender_alone_is_told_what_is_missing);
	tcase_add_test(tc, a_sender_waits_for_who_receives);
	tcase_add_test(tc, no_writer_yet_is_not_the_end_and_all_gone_is);
	tcase_add_test(tc, behind_the_end_a_writer_finds_no_reader);
	tcase_add_test(tc, who_keeps_it_receives_from_writer_after_writer);
	tcase_add_test(tc,
		       a_sender_whose_reader_has_gone_writes_to_no_other_one);
	tcase_add_test(tc, who_made_the_file_removes_it);
	tcase_add_test(tc, one_that_mkfifo_made_stays);
	tcase_add_test(tc, a_child_and_a_replaced_file_are_left_alone);
	tcase_add_test(tc, the_mode_is_as_given_whatever_the_umask);
	tcase_add_test(tc, what_is_no_fifo_is_refused_and_left_alone);
	tcase_add_test(tc, one_process_at_a_time_receives);
	tcase_add_test(tc, who_may_not_open_it_is_told);
	tcase_add_test(tc, without_a_descriptor_nothing_is_left);
	tcase_add_test(tc, destroy_removes_a_fifo);
	tcase_add_test(tc, what_makes_no_sense_is_refused);
	tcase_add_test(tc, messages_of_several_processes_are_not_mixed);
}
