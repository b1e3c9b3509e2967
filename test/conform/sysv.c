/* SPDX-License-Identifier: MIT */
/* What only sysv: has: types, keys, limits, removal, and programs without Ferry. */
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "conform.h"

static char address[100];

static char *queue(const char *keys)
{
	snprintf(address, sizeof address, "sysv:%d%s", getpid(), keys);
	return address;
}

static int number(void)
{
	return msgget(getpid(), 0);
}

static void open_both(const char *keys)
{
	ok(NULL, ferry_open(&receiver, queue(keys), FERRY_RECV));
	ok(NULL, ferry_open(&sender, queue(""), FERRY_SEND));
}

static void reopen(const char *keys)
{
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, queue(keys), FERRY_RECV));
}

static void end(void)
{
	close_ends();
	ok(NULL, ferry_destroy(queue("")));
}

static void send_five(void)
{
	ok(sender, send_marked("a3", 3, 0));
	ok(sender, send_marked("b1", 1, 0));
	ok(sender, send_marked("c2", 2, 0));
	ok(sender, send_marked("d1", 1, 0));
	ok(sender, send_marked("e9", 9, 0));
}

/* --- types ---------------------------------------------------------------- */

START_TEST(a_receiver_chooses_by_type)
{
	open_both("?type=1");
	send_five();
	expect_marked("b1", 1, 0);
	expect_marked("d1", 1, 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	says(receiver, -EAGAIN, "3 messages");
	reopen("?type=!3");
	expect_marked("c2", 2, 0);
	expect_marked("e9", 9, 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	reopen("?type=0");
	expect_marked("a3", 3, 0);
	end();
}
END_TEST

START_TEST(the_lowest_type_up_to_a_limit_comes_first)
{
	open_both("?type=-3");
	send_five();
	expect_marked("b1", 1, 0);
	expect_marked("d1", 1, 0);
	expect_marked("c2", 2, 0);
	expect_marked("a3", 3, 0);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	end();
}
END_TEST

START_TEST(the_address_says_which_type_is_sent)
{
	struct ferry_link *typed;

	open_both("");
	ok(NULL, ferry_open(&typed, queue("?type=12"), FERRY_SEND));
	send_text(typed, "twelve");
	send_text(sender, "one");
	expect_marked("twelve", 12, 0);
	expect_marked("one", 1, 0);
	ferry_close(typed);
	end();
}
END_TEST

START_TEST(bad_types_are_refused)
{
	static const char *const bad[] = {
		"?type=",    "?type=-",	 "?type=-0",
		"?type=x",   "?type=!",	 "?type=99999999999999",
		"?type=1.5", "?type=+1",
	};
	struct ferry_message m;

	open_both("");
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ferry_link *l;

		fails(NULL, ferry_open(&l, queue(bad[i]), FERRY_RECV), -EINVAL);
		fails(NULL, ferry_open(&l, queue(bad[i]), FERRY_SEND), -EINVAL);
	}
	fails(NULL, ferry_open(&sender, queue("?type=0"), FERRY_SEND), -EINVAL);
	fails(NULL, ferry_open(&sender, queue("?type=-2"), FERRY_DUPLEX),
	      -EINVAL);
	says(NULL, -EINVAL, "open two");
	ok(sender, ferry_loan(sender, 1, &m, SOON));
	m.priority = 1;
	fails(sender, ferry_commit(&m, SOON), -EOPNOTSUPP);
	ok(sender, ferry_abandon(&m));
	end();
}
END_TEST

/* --- programs without Ferry ------------------------------------------------ */

struct plain {
	long type;
	char text[100];
};

START_TEST(plain_programs_are_at_either_end)
{
	struct plain p = { 5, "plain" };

	open_both("");
	ck_assert_int_eq(msgsnd(number(), &p, 5, 0), 0);
	expect_marked("plain", 5, 0);
	ok(sender, send_marked("ferry", 6, 0));
	ck_assert_int_eq(msgrcv(number(), &p, 100, 6, 0), 5);
	ck_assert_int_eq(p.type, 6);
	ck_assert_mem_eq(p.text, "ferry", 5);
	end();
}
END_TEST

START_TEST(a_type_of_64_bits_is_shown_as_the_largest_of_32)
{
	struct plain p = { LONG_MAX, "far" };

	open_both("");
	ck_assert_int_eq(msgsnd(number(), &p, 3, 0), 0);
	expect_marked("far", UINT32_MAX, 0);
	end();
}
END_TEST

START_TEST(a_type_of_64_bits_stays_when_the_message_is_given_back)
{
	struct plain p = { LONG_MAX, "far" };
	struct ferry_message m;

	ok(NULL, ferry_open(&receiver, queue(""), FERRY_DUPLEX));
	ck_assert_int_eq(msgsnd(number(), &p, 3, 0), 0);
	ok(receiver, ferry_take(receiver, &m, SOON));
	ok(receiver, ferry_requeue(&m, 0));
	ck_assert_int_eq(msgrcv(number(), &p, 100, LONG_MAX, IPC_NOWAIT), 3);
	ck_assert_int_eq(msgsnd(number(), &p, 3, 0), 0);
	ok(receiver, ferry_take(receiver, &m, SOON));
	m.type = 7; /* the caller's choice stays one */
	ok(receiver, ferry_requeue(&m, 0));
	expect_marked("far", 7, 0);
	end();
}
END_TEST

/* --- keys, limits, ends ------------------------------------------------------ */

START_TEST(bad_keys_are_refused)
{
	static const char *const bad[] = {
		"sysv:",	 "sysv:0",	     "sysv:0x0",
		"sysv:name",	 "sysv:-1",	     "sysv:0x",
		"sysv:12x",	 "sysv:99999999999", "sysv:0x123456789",
		"sysv:1?ftok=1", "sysv:1?mode=9",    "sysv:1?capacity=0",
		"sysv:1?max=1",
	};

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		fails(NULL, ferry_open(&receiver, bad[i], FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&receiver, queue(""), FERRY_SEND), -ENOENT);
	says(NULL, -ENOENT, "who receives makes it");
	fails(NULL, ferry_destroy(address), -ENOENT);
}
END_TEST

START_TEST(hexadecimal_and_decimal_are_the_same_key)
{
	char hex[40];

	open_both("");
	close_end(&sender);
	snprintf(hex, sizeof hex, "sysv:0x%X", getpid());
	ok(NULL, ferry_open(&sender, hex, FERRY_SEND));
	send_text(sender, "same");
	expect_text(receiver, "same");
	end();
}
END_TEST

START_TEST(a_removed_queue_is_told)
{
	open_both("");
	ok(NULL, ferry_destroy(queue("")));
	for (int i = 0; i < 2; i++) {
		fails(sender, ferry_send(sender, "x", 1, SOON), -ESTALE);
		fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ESTALE);
	}
	says(receiver, -ESTALE, "was removed");
}
END_TEST

static void *remove_soon(void *arg)
{
	usleep(20000); /* the receiver waits by then, or finds it removed */
	return (void *)(intptr_t)ferry_destroy(arg);
}

START_TEST(removal_wakes_who_waits)
{
	char buf[10];
	pthread_t t;

	open_both("");
	pthread_create(&t, NULL, remove_soon, address);
	fails(receiver, ferry_recv(receiver, buf, sizeof buf, FERRY_FOREVER),
	      -ESTALE);
	pthread_join(t, NULL);
}
END_TEST

START_TEST(what_never_fits_is_refused_instead_of_waiting_for_ever)
{
	static char large[8193];

	open_both("?capacity=1000");
	ok(sender, ferry_send(sender, large, 1000, SOON));
	fails(sender, ferry_send(sender, large, 1, FERRY_NOWAIT), -EAGAIN);
	fails(sender, ferry_send(sender, large, 1001, SOON), -EMSGSIZE);
	says(sender, -EMSGSIZE, "1000");
	fails(sender, ferry_send(sender, large, sizeof large, SOON), -EMSGSIZE);
	says(sender, -EMSGSIZE, "kernel.msgmax");
	ck_assert_int_eq(ferry_recv(receiver, large, sizeof large, SOON), 1000);
	end();
}
END_TEST

static void ask_for_much(void *arg)
{
	(void)arg;
	fails(NULL, ferry_open(&receiver, "sysv:77?capacity=1G", FERRY_RECV),
	      -EACCES);
	says(NULL, -EACCES, "kernel.msgmnb");
}

START_TEST(capacity_is_as_asked_or_refused)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	as_nobody(ask_for_much, NULL);
	ck_assert_int_eq(msgget(77, 0), -1);
	open_both("?capacity=500");
	ok(receiver, ferry_stat(receiver, &st));
	ck_assert_uint_eq(st.options.bytes_max, 500);
	close_end(&receiver);
	fails(NULL, ferry_open(&receiver, queue("?capacity=1K"), FERRY_RECV),
	      -EEXIST);
	says(NULL, -EEXIST, "500 bytes, not 1024");
	end();
}
END_TEST

/* Who made it may have been killed before it could set its size. */
START_TEST(a_queue_that_nobody_has_used_gets_the_capacity_asked_for)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	ok(NULL, ferry_open(&receiver, queue(""), FERRY_RECV));
	ok(NULL, ferry_open(&sender, queue("?capacity=500"), FERRY_SEND));
	ok(receiver, ferry_stat(receiver, &st));
	ck_assert_uint_eq(st.options.bytes_max, 500);
	end();
	open_both("");
	send_text(sender, "used");
	close_end(&receiver);
	fails(NULL, ferry_open(&receiver, queue("?capacity=500"), FERRY_RECV),
	      -EEXIST);
	end();
}
END_TEST

static void try_to_use(void *arg)
{
	if (ferry_open(&receiver, arg, FERRY_RECV) != -EACCES ||
	    ferry_open(&receiver, arg, FERRY_SEND) != -EACCES)
		_exit(1);
	says(NULL, -EACCES, "send to it");
	if (getuid() == 65534 && ferry_destroy(arg) != -EACCES)
		_exit(2);
}

START_TEST(without_permission_it_is_refused)
{
	struct msqid_ds ds;
	struct ferry_link *l = NULL;

	ok(NULL, ferry_open(&l, queue("?mode=0"), FERRY_RECV));
	ck_assert_int_eq(msgget(getpid(), 0) < 0, 0);
	if (msgctl(number(), IPC_STAT, &ds) == 0)
		ck_assert_uint_eq(ds.msg_perm.mode & 0777, 0);
	as_nobody(try_to_use, queue(""));
	ferry_close(l);
	end();
}
END_TEST

static void fill_the_table(void *arg)
{
	struct ferry_link *l;
	char each[40];
	unsigned n = 0;
	int err = 0;

	(void)arg;
	for (; !err && n < 100000; n++) {
		snprintf(each, sizeof each, "sysv:%u", 1000000 + n);
		err = ferry_open(&l, each, FERRY_RECV);
		if (!err)
			ferry_close(l);
	}
	if (err == -ENOSPC)
		says(NULL, err, "kernel.msgmni");
	while (n-- > 0) {
		snprintf(each, sizeof each, "sysv:%u", 1000000 + n);
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

START_TEST(what_was_taken_can_be_given_back)
{
	struct ferry_message m;

	open_both("");
	ok(sender, send_marked("again", 4, 0));
	ok(receiver, ferry_take(receiver, &m, SOON));
	fails(receiver, ferry_requeue(&m, FERRY_S(1)), -EOPNOTSUPP);
	ok(receiver, ferry_requeue(&m, 0));
	expect_marked("again", 4, 0);
	end();
}
END_TEST

void add_sysv_tests(TCase *tc)
{
	tcase_add_test(tc, a_receiver_chooses_by_type);
	tcase_add_test(tc, the_lowest_type_up_to_a_limit_comes_first);
	tcase_add_test(tc, the_address_says_which_type_is_sent);
	tcase_add_test(tc, bad_types_are_refused);
	tcase_add_test(tc, plain_programs_are_at_either_end);
	if (sizeof(long) > 4) {
		tcase_add_test(tc,
			       a_type_of_64_bits_is_shown_as_the_largest_of_32);
		tcase_add_test(
			tc,
			a_type_of_64_bits_stays_when_the_message_is_given_back);
	}
	tcase_add_test(tc, bad_keys_are_refused);
	tcase_add_test(tc, hexadecimal_and_decimal_are_the_same_key);
	tcase_add_test(tc, a_removed_queue_is_told);
	tcase_add_test(tc, removal_wakes_who_waits);
	tcase_add_test(tc,
		       what_never_fits_is_refused_instead_of_waiting_for_ever);
	tcase_add_test(tc, capacity_is_as_asked_or_refused);
	tcase_add_test(
		tc, a_queue_that_nobody_has_used_gets_the_capacity_asked_for);
	tcase_add_test(tc, without_permission_it_is_refused);
	tcase_add_test(tc, too_many_queues_are_told_by_name);
	tcase_add_test(tc, what_was_taken_can_be_given_back);
}
