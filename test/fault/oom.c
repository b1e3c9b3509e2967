/* SPDX-License-Identifier: MIT */
/*
 * A memory cgroup that is full in the midst of a send: the kernel kills the
 * sender, or refuses the memory.
 */
#include "fault.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "payload.h"

#define LIMIT "16777216"
#define SIZE  ((size_t)1 << 20)
#define MOST  64 /* four times the limit */

static char group[120];
static char buf[SIZE];

static bool put(const char *file, const char *text)
{
	char path[200];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n > 0;
}

/* Below either version of cgroups, where we may. */
static bool make_group(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/memory",
					     "/sys/fs/cgroup" };
	struct statfs fs;

	if (statfs(place.path, &fs) || fs.f_type != TMPFS_MAGIC) {
		printf("not tried, the realm is not in memory\n");
		return false;
	}
	for (int i = 0; i < 2; i++) {
		snprintf(group, sizeof(group), "%s/ferry-test-%d", roots[i],
			 (int)getpid());
		if (mkdir(group, 0700))
			continue;
		if (put("memory.limit_in_bytes", LIMIT) ||
		    put("memory.max", LIMIT))
			return true;
		rmdir(group);
	}
	printf("not tried, no memory cgroup can be made here\n");
	return false;
}

static void send_until_the_end(struct child *c, void *arg)
{
	volatile long *accepted = arg;
	struct ferry_link *box = open_box("box");
	int err = 0;

	child_tell(c);
	child_hear(c);
	for (long i = 0; i < MOST && !err; i++) {
		payload_fill(buf, SIZE, i);
		err = ferry_send(box, buf, SIZE, FERRY_NOWAIT);
		*accepted += err == 0;
	}
	refused(box, err, -ENOSPC, "");
	for (;;)
		pause(); /* refused: as good as killed now */
}

START_TEST(a_sender_without_memory_takes_nothing_with_it)
{
	volatile long *accepted = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_message m[MOST];
	struct ferry_link *box;
	char number[16];
	struct child c;
	long n = 0;

	if (!make_group())
		return;
	o.capacity = MOST;
	o.message_max = SIZE;
	works(NULL, ferry_mailbox_create(&box, "box", &o));
	c = child_start(send_until_the_end, (void *)accepted);
	child_hear(&c);
	snprintf(number, sizeof(number), "%d", (int)c.pid);
	ck_assert(put("cgroup.procs", number));
	child_tell(&c);
	/* all are held, since what is released is memory for the next one */
	while (n < MOST &&
	       ferry_take(box, &m[n], ferry_after(FERRY_S(2))) == 0) {
		ck_assert_int_eq(payload_check(m[n].data, m[n].len, SIZE), n);
		n++;
	}
	ck_assert_int_gt(n, 0);
	ck_assert_int_lt(n, MOST);
	ck_assert_int_ge(n, *accepted);
	ck_assert_int_le(n, *accepted + 1);
	child_kill(&c);
	for (long i = 0; i < n; i++)
		works(box, ferry_release(&m[i]));
	ferry_close(box);
	rmdir(group);
}
END_TEST

Suite *oom_suite(void)
{
	Suite *s = suite_create("oom");
	TCase *t = fault_case("oom", 60);

	tcase_add_test(t, a_sender_without_memory_takes_nothing_with_it);
	suite_add_tcase(s, t);
	return s;
}
