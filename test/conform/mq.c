/* SPDX-License-Identifier: MIT */
/* What only mq: has: priorities, attributes, limits, and programs without Ferry. */
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "conform.h"

static char name[60], address[100];

/* A name of this test's own, with the keys. */
static char *queue(const char *keys)
{
	snprintf(name, sizeof name, "/ferry-mq-%d", getpid());
	snprintf(address, sizeof address, "mq:%s%s", name, keys);
	return address;
}

static void open_both(const char *keys)
{
	ok(NULL, ferry_open(&receiver, queue(keys), FERRY_RECV));
	ok(NULL, ferry_open(&sender, queue(""), FERRY_SEND));
}

static void end(void)
{
	close_ends();
	ok(NULL, ferry_destroy(queue("")));
}

START_TEST(the_highest_priority_comes_first)
{
	open_both("");
	ok(sender, send_marked("low", 0, 0));
	ok(sender, send_marked("high", 0, 32767));
	ok(sender, send_marked("low too", 0, 0));
	ok(sender, send_marked("middle", 0, 5));
	expect_marked("high", 0, 32767);
	expect_marked("middle", 0, 5);
	expect_marked("low", 0, 0);
	expect_marked("low too", 0, 0);
	end();
}
END_TEST

START_TEST(what_a_queue_does_not_carry_is_refused)
{
	struct ferry_message m;

	open_both("");
	ok(sender, ferry_loan(sender, 1, &m, SOON));
	m.priority = 32768;
	fails(sender, ferry_commit(&m, SOON), -EINVAL);
	says(sender, -EINVAL, "32767");
	m.priority = 0;
	m.type = 3;
	fails(sender, ferry_commit(&m, SOON), -EOPNOTSUPP);
	ok(sender, ferry_abandon(&m));
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	says(receiver, -EAGAIN, "0 of 10");
	end();
}
END_TEST

/* --- programs without Ferry ---------------------------------------------- */

START_TEST(plain_programs_are_at_either_end)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 100 };
	unsigned priority = 0;
	char buf[100];
	mqd_t q;

	queue("");
	q = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attr);
	ck_assert_int_ge(q, 0);
	open_both("?capacity=4&max=100");
	ck_assert_int_eq(mq_send(q, "plain", 5, 7), 0);
	expect_marked("plain", 0, 7);
	ok(sender, send_marked("ferry", 0, 9));
	ck_assert_int_eq(mq_receive(q, buf, sizeof buf, &priority), 5);
	ck_assert_mem_eq(buf, "ferry", 5);
	ck_assert_uint_eq(priority, 9);
	mq_close(q);
	end();
}
END_TEST

/* --- attributes and names ------------------------------------------------ */

START_TEST(a_queue_with_other_attributes_is_refused_with_both)
{
	open_both("?capacity=3&max=50");
	close_end(&receiver);
	fails(NULL, ferry_open(&receiver, queue("?capacity=4"), FERRY_RECV),
	      -EEXIST);
	says(NULL, -EEXIST, "holds 3 messages, not 4");
	fails(NULL, ferry_open(&receiver, queue("?max=1K"), FERRY_SEND),
	      -EEXIST);
	says(NULL, -EEXIST, "50 bytes, not 1024");
	ok(NULL,
	   ferry_open(&receiver, queue("?capacity=3&max=50"), FERRY_RECV));
	end();
}
END_TEST

START_TEST(its_mode_is_as_asked_whatever_the_umask)
{
	struct stat st;
	mode_t before = umask(0777);
	mqd_t q;

	ok(NULL, ferry_open(&receiver, queue("?mode=0640"), FERRY_RECV));
	umask(before);
	q = mq_open(name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(q, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	mq_close(q);
	end();
}
END_TEST

START_TEST(bad_names_and_options_are_refused)
{
	static const char *const bad[] = {
		"mq:",
		"mq:/",
		"mq:name",
		"mq:/a/b",
		"mq://a",
		"mq:/.",
		"mq:/..",
		"mq:/x?mode=0888",
		"mq:/x?mode=0777",
		"mq:/x?capacity",
		"mq:/x?capacity=no",
		"mq:/x?max=0",
		"mq:/x?size=1",
	};
	char long_name[NAME_MAX + 10] = "mq:/";

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		fails(NULL, ferry_open(&receiver, bad[i], FERRY_RECV), -EINVAL);
	memset(long_name + 4, 'x', NAME_MAX + 1);
	fails(NULL, ferry_open(&receiver, long_name, FERRY_RECV), -EINVAL);
	says(NULL, -EINVAL, "255");
	fails(NULL, ferry_open(&receiver, "mq:/x?framing=line", FERRY_RECV),
	      -EOPNOTSUPP);
	ok(NULL, ferry_destroy("mq:/x"));
}
END_TEST

START_TEST(who_only_sends_makes_none)
{
	fails(NULL, ferry_open(&sender, queue(""), FERRY_SEND), -ENOENT);
	says(NULL, -ENOENT, "who receives makes it");
	fails(NULL, ferry_destroy(address), -ENOENT);
	fails(NULL, ferry_listen(&sender, address), -EOPNOTSUPP);
}
END_TEST

/* --- limits --------------------------------------------------------------- */

START_TEST(more_than_the_kernel_allows_names_its_settings)
{
	fails(NULL,
	      ferry_open(&receiver, queue("?capacity=1000000"), FERRY_RECV),
	      -EINVAL);
	says(NULL, -EINVAL, "fs.mqueue.msg_max");
	fails(NULL, ferry_open(&receiver, queue("?max=1G"), FERRY_RECV),
	      -EINVAL);
	says(NULL, -EINVAL, "fs.mqueue.msgsize_max");
}
END_TEST

static void set_limit(int which, rlim_t n)
{
	struct rlimit limit;

	getrlimit(which, &limit);
	limit.rlim_cur = n;
	ck_assert_int_eq(setrlimit(which, &limit), 0);
}

START_TEST(bytes_of_the_user_and_descriptors_run_out_by_name)
{
	int lowest;

	set_limit(RLIMIT_MSGQUEUE, 1000);
	fails(NULL, ferry_open(&receiver, queue(""), FERRY_RECV), -ENOSPC);
	says(NULL, -ENOSPC, "ulimit -q");
	set_limit(RLIMIT_MSGQUEUE, 800000);
	lowest = dup(0);
	close(lowest);
	set_limit(RLIMIT_NOFILE, (rlim_t)lowest + 1); /* for the eventfd */
	fails(NULL, ferry_open(&receiver, queue(""), FERRY_RECV), -EMFILE);
	set_limit(RLIMIT_NOFILE, 1000);
}
END_TEST

static void fill_the_table(void *arg)
{
	struct ferry_link *l;
	char each[60];
	int err = 0;
	unsigned n = 0;

	(void)arg;
	for (; !err && n < 100000; n++) {
		snprintf(each, sizeof each, "mq:/ferry-%u?capacity=1&max=1", n);
		err = ferry_open(&l, each, FERRY_RECV);
		if (!err)
			ferry_close(l);
	}
	if (err == -ENOSPC)
		says(NULL, err, "fs.mqueue.queues_max");
	while (n-- > 0) {
		snprintf(each, sizeof each, "mq:/ferry-%u", n);
		ferry_destroy(each);
	}
	if (err != -ENOSPC)
		_exit(1);
}

START_TEST(too_many_queues_are_told_by_name)
{
	as_nobody(fill_the_table, NULL);
}
END_TEST

static void try_to_use(void *arg)
{
	char *at = arg;

	if (ferry_open(&receiver, at, FERRY_RECV) != -EACCES ||
	    ferry_open(&receiver, at, FERRY_SEND) != -EACCES ||
	    ferry_open(&receiver, at, FERRY_DUPLEX) != -EACCES)
		_exit(1);
	says(NULL, -EACCES, "both");
	if (geteuid() != 0 && getuid() == 65534 && ferry_destroy(at) != -EACCES)
		_exit(2);
}

START_TEST(without_permission_it_is_refused)
{
	struct ferry_link *l = NULL;

	ok(NULL, ferry_open(&l, queue("?mode=0"), FERRY_RECV));
	as_nobody(try_to_use, queue(""));
	ferry_close(l);
	end();
}
END_TEST

/* --- what is handed out --------------------------------------------------- */

START_TEST(too_small_a_buffer_loses_nothing_when_the_link_is_closed)
{
	char buf[100];

	open_both("?max=100");
	ok(sender, send_marked("a long message", 0, 3));
	fails(receiver, ferry_recv(receiver, buf, 4, SOON), -EMSGSIZE);
	ck_assert_int_eq(ferry_next_len(receiver), 14);
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, queue(""), FERRY_RECV));
	expect_marked("a long message", 0, 3);
	end();
}
END_TEST

static void close_it(void *arg)
{
	(void)arg;
	ferry_close(receiver);
}

START_TEST(what_is_kept_is_not_the_childs)
{
	open_both("");
	send_text(sender, "once");
	ck_assert_int_eq(ferry_next_len(receiver), 4);
	expect_exit(child(close_it, NULL), 0);
	expect_text(receiver, "once");
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	end();
}
END_TEST

static void receive_only(void *arg)
{
	struct ferry_link *l;
	char buf[100];

	if (ferry_open(&l, arg, FERRY_RECV) != 0)
		_exit(1);
	if (ferry_recv(l, buf, 10, FERRY_NOWAIT) != -EMSGSIZE)
		_exit(2);
	says(l, -EMSGSIZE, "into 100 bytes");
	if (ferry_next_len(l) != -EOPNOTSUPP)
		_exit(3);
	if (ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT) != 2)
		_exit(4);
	ferry_close(l);
}

START_TEST(who_may_only_receive_is_not_handed_what_it_cannot_put_back)
{
	char keys[30] = "?max=100&mode=0444";

	open_both(keys);
	send_text(sender, "hi");
	as_nobody(receive_only, queue(""));
	end();
}
END_TEST

START_TEST(what_was_taken_can_be_given_back)
{
	struct ferry_message m;

	open_both("");
	ok(sender, send_marked("again", 0, 4));
	ok(receiver, ferry_take(receiver, &m, SOON));
	fails(receiver, ferry_requeue(&m, FERRY_S(1)), -EOPNOTSUPP);
	ok(receiver, ferry_requeue(&m, 0));
	expect_marked("again", 0, 4);
	end();
}
END_TEST

START_TEST(messages_outlive_everybody)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	open_both("?capacity=5&max=60");
	send_text(sender, "still here");
	close_ends();
	ok(NULL, ferry_open(&receiver, queue(""), FERRY_RECV));
	ok(receiver, ferry_stat(receiver, &st));
	ck_assert_uint_eq(st.queued, 1);
	ck_assert_uint_eq(st.options.capacity, 5);
	ck_assert_uint_eq(st.options.message_max, 60);
	expect_text(receiver, "still here");
	end();
}
END_TEST

START_TEST(a_removed_queue_works_for_those_who_have_it)
{
	open_both("");
	ok(NULL, ferry_destroy(queue("")));
	send_text(sender, "between us");
	expect_text(receiver, "between us");
	close_ends();
	fails(NULL, ferry_open(&sender, queue(""), FERRY_SEND), -ENOENT);
}
END_TEST

void add_mq_tests(TCase *tc)
{
	tcase_add_test(tc, the_highest_priority_comes_first);
	tcase_add_test(tc, what_a_queue_does_not_carry_is_refused);
	tcase_add_test(tc, plain_programs_are_at_either_end);
	tcase_add_test(tc, a_queue_with_other_attributes_is_refused_with_both);
	tcase_add_test(tc, its_mode_is_as_asked_whatever_the_umask);
	tcase_add_test(tc, bad_names_and_options_are_refused);
	tcase_add_test(tc, who_only_sends_makes_none);
	tcase_add_test(tc, more_than_the_kernel_allows_names_its_settings);
	tcase_add_test(tc, bytes_of_the_user_and_descriptors_run_out_by_name);
	tcase_add_test(tc, too_many_queues_are_told_by_name);
	tcase_add_test(tc, without_permission_it_is_refused);
	tcase_add_test(
		tc, too_small_a_buffer_loses_nothing_when_the_link_is_closed);
	tcase_add_test(tc, what_is_kept_is_not_the_childs);
	tcase_add_test(
		tc, who_may_only_receive_is_not_handed_what_it_cannot_put_back);
	tcase_add_test(tc, what_was_taken_can_be_given_back);
	tcase_add_test(tc, messages_outlive_everybody);
	tcase_add_test(tc, a_removed_queue_works_for_those_who_have_it);
}
