/* SPDX-License-Identifier: MIT */
/* Logs whose senders were killed in the middle, and logs that were damaged. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "file.h"

static char content[4000];
static size_t n_content;

static void read_content(void)
{
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);

	n_content = (size_t)read(fd, content, sizeof content);
	ck_assert_uint_lt(n_content, sizeof content);
	close(fd);
}

static void write_content(size_t n)
{
	int fd = open(log_path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, content, n), (ssize_t)n);
	close(fd);
}

static const char *const texts[] = { "the first", "", "a third\none" };
#define N_TEXTS 3u

/* Three records in `content`; where each ends in `ends`. */
static void make_content(size_t ends[N_TEXTS])
{
	open_log("", "");
	for (unsigned i = 0; i < N_TEXTS; i++) {
		send_text(sender, texts[i]);
		read_content();
		ends[i] = n_content;
	}
	close_ends();
}

static void nothing_more(void)
{
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
}

START_TEST(cut_at_each_byte_it_keeps_what_was_whole_and_goes_on)
{
	size_t ends[N_TEXTS];

	make_content(ends);
	for (size_t cut = 0; cut <= n_content; cut++) {
		write_content(cut);
		open_log("", "");
		for (unsigned i = 0; i < N_TEXTS && ends[i] <= cut; i++)
			expect_text(receiver, texts[i]);
		nothing_more(); /* what is torn is never given out */
		send_text(sender, "after");
		expect_text(receiver, "after");
		nothing_more();
		close_end(&receiver);
		ok(NULL, ferry_open(&receiver, log_at(""), FERRY_RECV));
		for (unsigned i = 0; i < N_TEXTS && ends[i] <= cut; i++)
			expect_text(receiver, texts[i]);
		expect_text(receiver, "after");
		nothing_more();
		close_ends();
	}
	end_log();
}
END_TEST

/* As a file system may leave a file whose bytes did not come to the disk. */
START_TEST(zeros_behind_each_byte_are_cut_off_as_well)
{
	size_t ends[N_TEXTS], whole;

	make_content(ends);
	whole = n_content;
	for (size_t cut = ends[1]; cut < whole; cut++) {
		char left[sizeof content];

		memcpy(left, content, whole);
		memset(content + cut, 0, whole - cut);
		write_content(whole);
		memcpy(content, left, whole);
		open_log("", "");
		expect_text(receiver, texts[0]);
		expect_text(receiver, texts[1]);
		nothing_more();
		send_text(sender, "after");
		expect_text(receiver, "after");
		nothing_more();
		close_ends();
	}
	end_log();
}
END_TEST

START_TEST(damage_to_any_byte_is_told_once_and_the_next_record_comes)
{
	size_t ends[N_TEXTS];
	char buf[100];

	make_content(ends);
	for (size_t at = ends[0]; at < ends[1]; at++) {
		content[at] ^= 0x11;
		write_content(n_content);
		content[at] ^= 0x11;
		open_log("", "");
		expect_text(receiver, texts[0]);
		fails(receiver, ferry_recv(receiver, buf, sizeof buf, SOON),
		      -EBADMSG);
		says(receiver, -EBADMSG, "damaged at");
		expect_text(receiver, texts[2]);
		nothing_more();
		send_text(sender, "after"); /* what is behind it is not cut */
		expect_text(receiver, "after");
		close_ends();
	}
	end_log();
}
END_TEST

static void append_text(const char *text)
{
	int fd = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

START_TEST(what_others_append_is_neither_cut_off_nor_buried)
{
	struct stat st;

	open_log("", "");
	send_text(sender, "ours");
	append_text("echo was here\n");
	fails(sender, ferry_send(sender, "x", 1, SOON), -EBADMSG);
	says(sender, -EBADMSG, "truncate -s");
	ck_assert_int_eq(stat(log_path, &st), 0);
	expect_text(receiver, "ours");
	nothing_more();
	ck_assert_int_eq(truncate(log_path, st.st_size - 14), 0);
	send_text(sender, "ours again");
	expect_text(receiver, "ours again");
	end_log();
}
END_TEST

/* Records inside of texts are texts, whole or torn, damaged or not. */
START_TEST(a_log_inside_of_a_log_is_text)
{
	size_t ends[N_TEXTS];
	struct stat st;
	char buf[4000];

	make_content(ends);
	open_log("", "?from=end");
	ok(sender, ferry_send(sender, content, n_content, SOON));
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON),
			 (ssize_t)n_content);
	ck_assert_mem_eq(buf, content, n_content);
	ck_assert_int_eq(stat(log_path, &st), 0);
	for (off_t cut = st.st_size - 1; cut > (off_t)ends[2]; cut--) {
		ck_assert_int_eq(truncate(log_path, cut), 0);
		close_ends();
		ok(NULL,
		   ferry_open(&receiver, log_at("?from=end"), FERRY_RECV));
		nothing_more();
	}
	end_log();
}
END_TEST

static unsigned crc32_of(const char *p, size_t len)
{
	unsigned crc = ~0u;

	while (len--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* A record as a sender would write it at `at`; its length. */
static size_t forge(char *out, size_t size, long at, const char *text)
{
	int n = snprintf(out, size,
			 "#%ld %zu 2026-01-01T00:00:00.000000Z 1 %08x", at,
			 strlen(text), crc32_of(text, strlen(text)));

	return (size_t)n + (size_t)snprintf(out + n, size - (size_t)n,
					    " %08x\n%s\n",
					    crc32_of(out, (size_t)n), text);
}

/* A text that guesses where it will lie: also when its sender is killed behind it, it
 * is not taken for a record, by senders or readers. */
START_TEST(a_forged_record_in_a_torn_one_is_never_given_out)
{
	char text[400] = "\n", head[100];
	size_t n, first;
	struct stat st;
	long at;

	open_log("", "");
	send_text(sender, "before");
	ck_assert_int_eq(stat(log_path, &st), 0);
	/* as long as the first line will be */
	first = (size_t)snprintf(head, sizeof head,
				 "#%ld 300 %27s %d %8s %8s\n", (long)st.st_size,
				 "", getpid(), "", "");
	at = st.st_size + (long)first + 1;
	n = 1 + forge(text + 1, 200, at, "forged");
	memset(text + n, 'x', 300 - n);
	ok(sender, ferry_send(sender, text, 300, SOON));
	read_content();
	ck_assert_mem_eq(content + at, text + 1,
			 n - 1); /* the guess was right */
	for (size_t cut = n_content - 1; cut >= (size_t)at + n - 1; cut--) {
		write_content(cut);
		close_ends();
		open_log("", "");
		expect_text(receiver, "before");
		nothing_more();
		send_text(sender, "after");
		expect_text(receiver, "after");
		nothing_more();
	}
	end_log();
}
END_TEST

/* --- killed in the middle ---------------------------------------------------------- */

#define N_WRITERS 4u
#define ROUNDS	  40u
#define LONGEST	  60000u

struct tally {
	unsigned begun[N_WRITERS], done[N_WRITERS];
};

static struct tally *tally;

/* Send records of our number, counting what is begun and what was accepted. */
static void write_on(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	static char text[LONGEST];
	struct ferry_link *l;
	int n;

	if (ferry_open(&l, log_at(""), FERRY_SEND) != 0)
		_exit(1);
	for (unsigned i = tally->begun[me];; i++) {
		memset(text, 'a' + (int)(i % 26), sizeof text);
		n = snprintf(text, sizeof text, "%u %u ", me, i);
		tally->begun[me] = i + 1;
		if (ferry_send(l, text, (size_t)n + i * 7919 % (LONGEST - 99),
			       FERRY_FOREVER) != 0)
			_exit(2);
		tally->done[me] = i + 1;
	}
}

/* Of each writer all that was accepted, in its order, each once; of what it had
 * begun when it was killed, perhaps one more. */
static void check_all(void)
{
	unsigned next[N_WRITERS] = { 0 }, missing = 0, who, which;
	static char text[LONGEST + 1];
	ssize_t n;

	while ((n = ferry_recv(receiver, text, LONGEST, FERRY_NOWAIT)) >= 0) {
		text[n] = 0;
		ck_assert_int_eq(sscanf(text, "%u %u", &who, &which), 2);
		ck_assert_uint_lt(who, N_WRITERS);
		ck_assert_uint_ge(which, next[who]);
		missing += which - next[who];
		next[who] = which + 1;
	}
	fails(receiver, n, -EAGAIN);
	for (unsigned i = 0; i < N_WRITERS; i++) {
		ck_assert_uint_ge(next[i], tally->done[i]);
		ck_assert_uint_le(next[i], tally->begun[i]);
	}
	ck_assert_uint_le(missing, ROUNDS);
}

START_TEST(writers_that_are_killed_lose_nothing_that_was_accepted)
{
	unsigned seed = 12345;
	pid_t pids[N_WRITERS];

	tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	open_log("", "");
	for (uintptr_t i = 0; i < N_WRITERS; i++)
		pids[i] = child(write_on, (void *)i);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uintptr_t who = rand_r(&seed) % N_WRITERS;
		unsigned seen = tally->done[who];

		while (tally->done[who] < seen + 2)
			usleep((unsigned)rand_r(&seed) % 300);
		ck_assert_int_eq(kill(pids[who], SIGKILL), 0);
		ck_assert_int_eq(waitpid(pids[who], NULL, 0), pids[who]);
		pids[who] = child(write_on, (void *)who);
	}
	for (unsigned i = 0; i < N_WRITERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	check_all();
	send_text(sender, "done");
	expect_text(receiver, "done");
	end_log();
}
END_TEST

void add_file_torn_tests(TCase *tc)
{
	tcase_add_test(tc,
		       cut_at_each_byte_it_keeps_what_was_whole_and_goes_on);
	tcase_add_test(tc, zeros_behind_each_byte_are_cut_off_as_well);
	tcase_add_test(
		tc, damage_to_any_byte_is_told_once_and_the_next_record_comes);
	tcase_add_test(tc, what_others_append_is_neither_cut_off_nor_buried);
	tcase_add_test(tc, a_log_inside_of_a_log_is_text);
	tcase_add_test(tc, a_forged_record_in_a_torn_one_is_never_given_out);
	tcase_add_test(tc,
		       writers_that_are_killed_lose_nothing_that_was_accepted);
}
