/* SPDX-License-Identifier: MIT */
/* sysv:PATH: files that name a queue, and keys of ftok(3). */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>

#include "conform.h"

static char path[100], address[150];

static char *queue(const char *keys)
{
	snprintf(path, sizeof path, "%s/q", place);
	snprintf(address, sizeof address, "sysv:%s%s", path, keys);
	return address;
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static unsigned key_in_file(void)
{
	FILE *file = fopen(path, "re");
	unsigned key = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*[^\n]\nkey 0x%x", &key), 1);
	fclose(file);
	return key;
}

static void expect_works(void)
{
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
	send_text(sender, "hello");
	expect_text(receiver, "hello");
	close_ends();
}

START_TEST(the_file_names_the_queue_for_everybody)
{
	struct stat st;

	queue("?mode=0620");
	expect_works();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640); /* to be read by senders */
	ck_assert_int_ge(msgget((key_t)key_in_file(), 0), 0);
	queue("");
	expect_works();
	ok(NULL, ferry_destroy(address));
	ck_assert_int_ne(stat(path, &st), 0);
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -ENOENT);
	fails(NULL, ferry_destroy(address), -ENOENT);
}
END_TEST

START_TEST(a_file_whose_queue_is_gone_names_a_new_one)
{
	queue("");
	expect_works();
	ck_assert_int_eq(
		msgctl(msgget((key_t)key_in_file(), 0), IPC_RMID, NULL), 0);
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -ENOENT);
	expect_works();
	ok(NULL, ferry_destroy(address));
}
END_TEST

START_TEST(a_file_of_an_earlier_boot_names_nothing)
{
	int id = msgget(0x1234567, IPC_CREAT | IPC_EXCL | 0600);

	ck_assert_int_ge(id, 0);
	queue("");
	write_file("System V message queue of ferry\nkey 0x01234567\n"
		   "boot 00000000-0000-0000-0000-000000000000\n");
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -ENOENT);
	expect_works();
	ck_assert_uint_ne(key_in_file(), 0x1234567);
	ok(NULL, ferry_destroy(address));
	ck_assert_int_eq(msgctl(id, IPC_RMID, NULL), 0); /* it was not ours */
}
END_TEST

START_TEST(other_files_are_left_alone)
{
	static const char *const texts[] = {
		"",
		"hello\n",
		"System V message queue of ferry\n",
		"System V message queue of ferry\nkey 0x00000000\nboot -\n",
		"System V message queue of ferry\nkey 0x1234567\nboot -\n",
		"System V message queue of ferry\nkey 0x01234567\nboot -\n\n",
	};

	queue("");
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		write_file(texts[i]);
		fails(NULL, ferry_open(&receiver, address, FERRY_RECV),
		      -EBADMSG);
		fails(NULL, ferry_destroy(address), -EBADMSG);
		ck_assert_int_eq(access(path, F_OK), 0);
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	fails(NULL, ferry_open(&receiver, address, FERRY_RECV), -EBADMSG);
	ck_assert_int_eq(rmdir(path), 0);
	snprintf(address, sizeof address, "sysv:%s/", place);
	fails(NULL, ferry_open(&receiver, address, FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&receiver, "sysv:/no/such/q", FERRY_RECV),
	      -ENOENT);
}
END_TEST

#define CROWD 8

static void open_and_send(void *arg)
{
	struct ferry_link *l;

	if (ferry_open(&l, arg, FERRY_DUPLEX) != 0 ||
	    ferry_send(l, "x", 1, SOON) != 0)
		_exit(1);
}

/* All of them find, or make, the same one. */
START_TEST(many_who_start_at_once_meet_in_one_queue)
{
	pid_t pids[CROWD];
	char buf[10];

	queue("");
	for (int i = 0; i < CROWD; i++)
		pids[i] = child(open_and_send, address);
	for (int i = 0; i < CROWD; i++)
		expect_exit(pids[i], 0);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(ferry_recv(receiver, buf, 10, FERRY_NOWAIT),
				 1);
	fails(receiver, ferry_recv(receiver, buf, 10, FERRY_NOWAIT), -EAGAIN);
	close_ends();
	ok(NULL, ferry_destroy(address));
}
END_TEST

START_TEST(a_program_with_ftok_is_met)
{
	int id;
	struct {
		long type;
		char text[10];
	} m = { 1, "ftok" };

	queue("?ftok=65");
	fails(NULL, ferry_open(&receiver, address, FERRY_RECV), -ENOENT);
	says(NULL, -ENOENT, "file that is there");
	write_file("any file\n");
	id = msgget(ftok(path, 'A'), IPC_CREAT | IPC_EXCL | 0600);
	ck_assert_int_ge(id, 0);
	ck_assert_int_eq(msgsnd(id, &m, 4, 0), 0);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	expect_text(receiver, "ftok");
	ok(NULL, ferry_destroy(address));
	ck_assert_int_ne(msgctl(id, IPC_RMID, NULL), 0);
	fails(NULL, ferry_open(&sender, queue("?ftok=0"), FERRY_SEND), -EINVAL);
	fails(NULL, ferry_open(&sender, queue("?ftok=A"), FERRY_SEND), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

void add_sysv_path_tests(TCase *tc)
{
	tcase_add_test(tc, the_file_names_the_queue_for_everybody);
	tcase_add_test(tc, a_file_whose_queue_is_gone_names_a_new_one);
	tcase_add_test(tc, a_file_of_an_earlier_boot_names_nothing);
	tcase_add_test(tc, other_files_are_left_alone);
	tcase_add_test(tc, many_who_start_at_once_meet_in_one_queue);
	tcase_add_test(tc, a_program_with_ftok_is_met);
}
