/* SPDX-License-Identifier: MIT */
/*
 * A descriptor goes with a message: a helper opens a file that its client could not
 * open, and hands it over.  Both arrive, or neither.
 *
 *	cc 18-pass-a-descriptor.c $(pkg-config --cflags --libs ferry)
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static void need(struct ferry_link *link, long err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Opens what is asked for, and is asked by its own user only. */
static void helper(struct ferry_link *client)
{
	struct ferry_message m;
	int file;

	need(client, ferry_take(client, &m, ferry_after(FERRY_S(5))), "take");
	if (m.sender.proof != FERRY_KERNEL || m.sender.uid != getuid())
		_exit(1);
	file = memfd_create("secret", MFD_CLOEXEC);
	if (file < 0 || write(file, "the contents", 12) != 12)
		_exit(1);
	need(client,
	     ferry_send_fds(client, "here it is", 10, &file, 1, FERRY_FOREVER),
	     "send");
	ferry_release(&m);
	_exit(0);
}

int main(void)
{
	struct ferry_link *ends[2];
	char text[32], contents[32];
	int file, status;
	unsigned n = 1;
	ssize_t len;

	need(NULL, ferry_pair(ends, "unix:?type=seqpacket"), "pair");
	if (fork() == 0) {
		ferry_close(ends[0]);
		helper(ends[1]);
	}
	ferry_close(ends[1]);
	need(ends[0], ferry_send(ends[0], "secret", 6, FERRY_FOREVER), "send");
	len = ferry_recv_fds(ends[0], text, sizeof text, &file, &n,
			     ferry_after(FERRY_S(5)));
	need(ends[0], len, "recv");
	printf("%.*s, with %u descriptor\n", (int)len, text, n);
	len = pread(file, contents, sizeof contents, 0);
	printf("in it: %.*s\n", (int)len, contents);
	close(file);
	ferry_close(ends[0]);
	return wait(&status) < 0 || status != 0;
}
