/* SPDX-License-Identifier: MIT */
/*
 * Zero copy: write a message where the receiver will read it, and read it
 * where the sender has written it.
 *
 *	cc 03-zero-copy.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#define FRAME (640u * 480u)

/* Every call returns a negative errno when it fails; Ferry can explain it. */
static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* The camera: loan, write in place, commit. */
static void camera(void)
{
	struct ferry_link *frames;
	struct ferry_message m;

	need(NULL, ferry_open(&frames, "example-03", FERRY_SEND), "open");
	for (int i = 1; i <= 3; i++) {
		need(frames, ferry_loan(frames, FRAME, &m, FERRY_FOREVER),
		     "loan");
		memset(m.data, i, FRAME);
		m.type = (uint32_t)i; /* yours to use */
		need(frames, ferry_commit(&m, FERRY_FOREVER), "commit");
	}
	ferry_close(frames);
	_exit(0);
}

int main(void)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *frames;
	struct ferry_message m;
	unsigned long sum;
	int status;
	pid_t pid;

	o.capacity = 2; /* the camera waits when we are slow */
	o.message_max = FRAME;
	need(NULL, ferry_mailbox_create(&frames, "example-03", &o), "create");
	if ((pid = fork()) == 0)
		camera();
	for (int i = 1; i <= 3; i++) {
		need(frames, ferry_take(frames, &m, ferry_after(FERRY_S(5))),
		     "take");
		sum = 0;
		for (size_t k = 0; k < m.len; k++)
			sum += ((unsigned char *)m.data)[k];
		printf("frame %u: %zu bytes in place, sum %lu, %s\n", m.type,
		       m.len, sum,
		       m.sender.pid == pid ? "from the camera" :
					     "from a stranger");
		need(frames, ferry_release(&m), "release");
	}
	waitpid(pid, &status, 0);
	ferry_close(frames);
	return status != 0;
}
