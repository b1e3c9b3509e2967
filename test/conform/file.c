/* SPDX-License-Identifier: MIT */
/* What only file: has: positions, replaced files, full disks, refusals. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "conform.h"
#include "file.h"

char log_path[100];

char *log_at(const char *keys)
{
	static char address[200];

	snprintf(log_path, sizeof log_path, "%s/log", place);
	snprintf(address, sizeof address, "file:%s%s", log_path, keys);
	return address;
}

void open_log(const char *keys_of_sender, const char *keys_of_receiver)
{
	ok(NULL, ferry_open(&sender, log_at(keys_of_sender), FERRY_SEND));
	ok(NULL, ferry_open(&receiver, log_at(keys_of_receiver), FERRY_RECV));
}

void end_log(void)
{
	close_ends();
	ok(NULL, ferry_destroy(log_at("")));
}

static void nothing_more(void)
{
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
}

/* --- positions ---------------------------------------------------------------- */

START_TEST(each_reader_sees_every_record_from_its_own_position)
{
	struct ferry_link *late;

	open_log("", "");
	send_text(sender, "one");
	expect_text(receiver, "one");
	send_text(sender, "two");
	ok(NULL, ferry_open(&late, log_at("?from=start"), FERRY_RECV));
	expect_text(late, "one");
	expect_text(late, "two");
	expect_text(receiver, "two");
	ferry_close(late);
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, log_at("?from=end"), FERRY_RECV));
	nothing_more();
	send_text(sender, "three");
	expect_text(receiver, "three");
	end_log();
}
END_TEST

START_TEST(a_reader_goes_on_where_another_one_stopped)
{
	struct ferry_message m;
	char keys[60];

	open_log("", "");
	send_text(sender, "one");
	send_text(sender, "two");
	send_text(sender, "three");
	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(m.seq, 13);
	ck_assert_int_eq(m.sender.pid, getpid());
	ck_assert_int_gt(m.sent_at, 0);
	snprintf(keys, sizeof keys, "?from=%llu", (unsigned long long)m.id);
	ok(receiver, ferry_release(&m));
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, log_at(keys), FERRY_RECV));
	expect_text(receiver, "two");
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, log_at("?from=15"), FERRY_RECV));
	expect_text(receiver, "two"); /* 15 is inside of the first */
	expect_text(receiver, "three");
	nothing_more();
	end_log();
}
END_TEST

START_TEST(the_end_is_a_position_and_what_is_behind_it_is_none)
{
	struct stat st;
	char keys[60];

	open_log("", "?from=0");
	send_text(sender, "one");
	ck_assert_int_eq(stat(log_path, &st), 0);
	close_end(&receiver);
	snprintf(keys, sizeof keys, "?from=%lld", (long long)st.st_size);
	ok(NULL, ferry_open(&receiver, log_at(keys), FERRY_RECV));
	nothing_more();
	send_text(sender, "two");
	expect_text(receiver, "two");
	close_end(&receiver);
	fails(NULL, ferry_open(&receiver, log_at("?from=1G"), FERRY_RECV),
	      -EINVAL);
	says(NULL, -EINVAL, "behind its end");
	end_log();
}
END_TEST

/* --- addresses, kinds, permissions ------------------------------------------------ */

START_TEST(bad_options_are_refused)
{
	static const struct {
		const char *keys;
		unsigned flags;
	} bad[] = {
		{ "?from=middle", FERRY_RECV }, { "?from=-1", FERRY_RECV },
		{ "?from=end", FERRY_SEND },	{ "?sync", FERRY_RECV },
		{ "?sync=yes", FERRY_SEND },	{ "?max=0", FERRY_SEND },
		{ "?max=2G", FERRY_SEND },	{ "?mode=8", FERRY_SEND },
		{ "?mode=0700", FERRY_SEND },	{ "?type=1", FERRY_SEND },
	};
	struct ferry_link *l;

	ok(NULL, ferry_open(&sender, log_at(""), FERRY_SEND));
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		fails(NULL, ferry_open(&l, log_at(bad[i].keys), bad[i].flags),
		      -EINVAL);
	fails(NULL, ferry_open(&l, "file:", FERRY_SEND), -EINVAL);
	end_log();
}
END_TEST

START_TEST(who_sends_makes_it_with_its_mode)
{
	mode_t before = umask(0777);
	struct stat st;

	fails(NULL, ferry_open(&receiver, log_at(""), FERRY_RECV), -ENOENT);
	says(NULL, -ENOENT, "who sends makes it");
	fails(NULL, ferry_open(&sender, "file:/no/such/log", FERRY_SEND),
	      -ENOENT);
	says(NULL, -ENOENT, "directory");
	open_log("?mode=0664&sync", "");
	umask(before);
	ck_assert_int_eq(stat(log_path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0664);
	send_text(sender, "on disk");
	expect_text(receiver, "on disk");
	end_log();
}
END_TEST

static void refused(int err, const char *text)
{
	struct ferry_link *l;

	fails(NULL, ferry_open(&l, log_at(""), FERRY_SEND), err);
	says(NULL, err, text);
	fails(NULL, ferry_open(&l, log_at(""), FERRY_RECV), err);
	says(NULL, err, text);
}

static void write_file(const char *text)
{
	FILE *file = fopen(log_path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(what_is_no_log_is_refused_and_left_alone)
{
	log_at("");
	write_file("root:x:0:0:root:/root:/bin/sh\n");
	refused(-EBADMSG, "not a log");
	fails(NULL, ferry_destroy(log_at("")), -EBADMSG);
	write_file("#ferry-log 2\n");
	refused(-EPROTO, "another version");
	unlink(log_path);
	ck_assert_int_eq(mkdir(log_path, 0700), 0);
	refused(-EINVAL, "directory");
	rmdir(log_path);
	ck_assert_int_eq(mkfifo(log_path, 0600), 0);
	refused(-EINVAL, "regular");
	unlink(log_path);
	fails(NULL, ferry_destroy(log_at("")), -ENOENT);
}
END_TEST

static void try_to_use(void *arg)
{
	if (ferry_open(&sender, arg, FERRY_SEND) != -EACCES)
		_exit(1);
	says(NULL, -EACCES, "read and write");
	if (ferry_open(&receiver, arg, FERRY_RECV) != -EACCES)
		_exit(2);
	says(NULL, -EACCES, "may not read it");
}

START_TEST(without_permission_it_is_refused)
{
	struct ferry_link *l;

	chmod(place, 0755);
	ok(NULL, ferry_open(&l, log_at("?mode=0"), FERRY_SEND));
	as_nobody(try_to_use, log_at(""));
	ferry_close(l);
	ck_assert_int_eq(unlink(log_path), 0);
}
END_TEST

START_TEST(what_a_log_does_not_carry_is_refused)
{
	struct ferry_message m;

	open_log("?max=10", "");
	fails(sender, ferry_send(sender, "more than ten", 13, SOON), -EMSGSIZE);
	ok(sender, ferry_loan(sender, 1, &m, SOON));
	m.type = 1;
	fails(sender, ferry_commit(&m, SOON), -EOPNOTSUPP);
	m.type = 0;
	m.priority = 1;
	fails(sender, ferry_commit(&m, SOON), -EOPNOTSUPP);
	ok(sender, ferry_abandon(&m));
	nothing_more();
	end_log();
}
END_TEST

/* --- replaced, cut, full ------------------------------------------------------------ */

START_TEST(a_file_that_was_moved_away_is_read_to_its_end_and_then_told)
{
	char old[120];

	open_log("", "");
	send_text(sender, "last");
	snprintf(old, sizeof old, "%s.1", log_path);
	ck_assert_int_eq(rename(log_path, old), 0);
	fails(sender, ferry_send(sender, "x", 1, SOON), -ESTALE);
	says(sender, -ESTALE, "removed");
	expect_text(receiver, "last");
	for (int i = 0; i < 2; i++)
		fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ESTALE);
	close_ends();
	open_log("", "");
	send_text(sender, "anew");
	expect_text(receiver, "anew");
	ck_assert_int_eq(rename(old, log_path), 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ESTALE);
	says(receiver, -ESTALE, "replaced");
	end_log();
}
END_TEST

static void *move_soon(void *old)
{
	usleep(20000); /* the reader waits by then, or finds it moved */
	return (void *)(intptr_t)rename(log_path, old);
}

START_TEST(who_waits_is_told_that_the_file_is_gone)
{
	char old[120];
	pthread_t t;

	open_log("", "");
	snprintf(old, sizeof old, "%s.1", log_path);
	pthread_create(&t, NULL, move_soon, old);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_FOREVER), -ESTALE);
	pthread_join(t, NULL);
	ck_assert_int_eq(rename(old, log_path), 0);
	end_log();
}
END_TEST

START_TEST(a_file_that_was_emptied_is_told_to_readers_and_filled_again)
{
	open_log("", "");
	send_text(sender, "gone");
	expect_text(receiver, "gone");
	ck_assert_int_eq(truncate(log_path, 0), 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ESTALE);
	says(receiver, -ESTALE, "was cut");
	send_text(sender, "first again");
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, log_at(""), FERRY_RECV));
	expect_text(receiver, "first again");
	end_log();
}
END_TEST

/* What one sender knows of the end is wrong, and lies inside of another's record. */
START_TEST(a_file_that_was_emptied_and_filled_by_another_loses_nothing)
{
	static char zeros[1000];
	struct ferry_link *other;

	open_log("", "");
	send_text(sender, "here");
	ck_assert_int_eq(truncate(log_path, 0), 0);
	ok(NULL, ferry_open(&other, log_at(""), FERRY_SEND));
	ok(other, ferry_send(other, zeros, sizeof zeros, SOON));
	send_text(sender, "behind");
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, log_at(""), FERRY_RECV));
	ck_assert_int_eq(ferry_recv(receiver, zeros, sizeof zeros, SOON), 1000);
	expect_text(receiver, "behind");
	ferry_close(other);
	end_log();
}
END_TEST

static void send_until_refused(const char *sentence)
{
	static char data[30000];
	struct stat before, after;
	int err, sent = 0;

	do {
		ck_assert_int_eq(stat(log_path, &before), 0);
		err = ferry_send(sender, data, sizeof data, FERRY_NOWAIT);
		sent += err == 0;
	} while (err == 0 && sent < 100);
	fails(sender, err, -ENOSPC);
	says(sender, -ENOSPC, sentence);
	ck_assert_int_eq(stat(log_path, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	send_text(sender, "small");
	while (sent--)
		ck_assert_int_eq(ferry_recv(receiver, data, sizeof data, SOON),
				 sizeof data);
	expect_text(receiver, "small");
}

START_TEST(a_file_as_large_as_it_may_be_is_told_without_a_signal)
{
	struct rlimit limit = { 100000, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	open_log("", "");
	send_until_refused("ulimit -f");
	end_log();
}
END_TEST

/* A small disk of our own, where we may mount one. */
START_TEST(a_full_disk_is_told_and_the_log_is_as_before)
{
	if (mount("none", place, "tmpfs", 0, "size=128k") != 0)
		return;
	open_log("", "");
	send_until_refused("disk is full");
	end_log();
	ck_assert_int_eq(umount(place), 0);
}
END_TEST

/* --- several processes ----------------------------------------------------------------- */

struct flock senders_lock(short type)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = (off_t)1 << 62,
			       .l_len = 1 };
}

START_TEST(a_sender_waits_for_the_lock_until_its_deadline)
{
	struct flock lock = senders_lock(F_WRLCK),
		     unlock = senders_lock(F_UNLCK);
	int fd;

	open_log("", "");
	fd = open(log_path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	fails(sender, ferry_send(sender, "x", 1, FERRY_NOWAIT), -EAGAIN);
	says(sender, -EAGAIN, "another process");
	fails(sender, ferry_send(sender, "x", 1, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	close_end(&sender);
	ok(NULL, ferry_open(&sender, log_at(""), FERRY_DUPLEX));
	fails(sender, ferry_send(sender, "x", 1, FERRY_NOWAIT), -EAGAIN);
	says(sender, -EAGAIN, "another process");
	fails(sender, ferry_recv(sender, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	says(sender, -EAGAIN, "nothing new");
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &unlock), 0);
	send_text(sender, "free");
	expect_text(receiver, "free");
	close(fd);
	end_log();
}
END_TEST

#define EACH 400

static void send_each(void *arg)
{
	char text[1000];

	memset(text, 'x', sizeof text);
	for (int i = 0; i < EACH; i++)
		if (ferry_send(sender, text, (size_t)i + 1, SOON) != 0)
			_exit(1);
	(void)arg;
}

/* Both have the parent's open file: their locks must not be the same. */
START_TEST(a_parent_and_its_children_share_a_link)
{
	char buf[1000];
	pid_t pids[3];
	int n = 0;

	open_log("", "");
	send_text(sender, "x");
	for (int i = 0; i < 3; i++)
		pids[i] = child(send_each, NULL);
	send_each(NULL);
	for (int i = 0; i < 3; i++)
		expect_exit(pids[i], 0);
	while (ferry_recv(receiver, buf, sizeof buf, FERRY_NOWAIT) > 0)
		n++;
	ck_assert_int_eq(n, 4 * EACH + 1);
	nothing_more();
	end_log();
}
END_TEST

static void *send_soon(void *arg)
{
	usleep(20000); /* the reader waits by then, or finds it */
	send_text(sender, arg);
	return NULL;
}

START_TEST(without_inotify_a_reader_looks_again_by_itself)
{
	struct rlimit before, none;
	pthread_t t;
	int lowest;

	open_log("", "");
	lowest = dup(0);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)lowest;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	pthread_create(&t, NULL, send_soon, (void *)"without");
	expect_text(receiver, "without");
	pthread_join(t, NULL);
	setrlimit(RLIMIT_NOFILE, &before);
	end_log();
}
END_TEST

START_TEST(a_path_is_the_same_after_a_change_of_directory)
{
	ck_assert_int_eq(chdir(place), 0);
	log_at("");
	ok(NULL, ferry_open(&sender, "file:log", FERRY_SEND));
	ok(NULL, ferry_open(&receiver, "file:./log", FERRY_RECV));
	ck_assert_int_eq(chdir("/"), 0);
	send_text(sender, "here");
	expect_text(receiver, "here");
	nothing_more();
	end_log();
}
END_TEST

void add_file_tests(TCase *tc)
{
	tcase_add_test(tc, each_reader_sees_every_record_from_its_own_position);
	tcase_add_test(tc, a_reader_goes_on_where_another_one_stopped);
	tcase_add_test(tc, the_end_is_a_position_and_what_is_behind_it_is_none);
	tcase_add_test(tc, bad_options_are_refused);
	tcase_add_test(tc, who_sends_makes_it_with_its_mode);
	tcase_add_test(tc, what_is_no_log_is_refused_and_left_alone);
	tcase_add_test(tc, without_permission_it_is_refused);
	tcase_add_test(tc, what_a_log_does_not_carry_is_refused);
	tcase_add_test(
		tc,
		a_file_that_was_moved_away_is_read_to_its_end_and_then_told);
	tcase_add_test(tc, who_waits_is_told_that_the_file_is_gone);
	tcase_add_test(
		tc,
		a_file_that_was_emptied_is_told_to_readers_and_filled_again);
	tcase_add_test(
		tc,
		a_file_that_was_emptied_and_filled_by_another_loses_nothing);
	tcase_add_test(tc,
		       a_file_as_large_as_it_may_be_is_told_without_a_signal);
	tcase_add_test(tc, a_full_disk_is_told_and_the_log_is_as_before);
	tcase_add_test(tc, a_sender_waits_for_the_lock_until_its_deadline);
	tcase_add_test(tc, a_parent_and_its_children_share_a_link);
	tcase_add_test(tc, without_inotify_a_reader_looks_again_by_itself);
	tcase_add_test(tc, a_path_is_the_same_after_a_change_of_directory);
}
