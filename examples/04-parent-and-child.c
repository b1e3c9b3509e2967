/* SPDX-License-Identifier: MIT */
/*
 * Parent and child: the same calls over a pipe and over a UNIX socket.  The
 * pipe is a stream, so it is read and written; this socket keeps messages
 * apart, so they are sent and received.  Kernel-backed links cross a fork.
 *
 *	cc 04-parent-and-child.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

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

static void child(struct ferry_link *pipe_end, const char *address)
{
	struct ferry_link *parent;

	need(pipe_end,
	     (int)ferry_write(pipe_end, "a stream ", 9, FERRY_FOREVER),
	     "write");
	need(pipe_end, (int)ferry_write(pipe_end, "of bytes", 8, FERRY_FOREVER),
	     "write");
	ferry_close(pipe_end); /* the parent reads the end */
	need(NULL, ferry_open(&parent, address, FERRY_DUPLEX), "open");
	need(parent, ferry_send(parent, "it is me", 8, FERRY_FOREVER), "send");
	ferry_close(parent);
	_exit(0);
}

int main(void)
{
	struct ferry_link *ends[2], *door, *peer;
	struct ferry_process who;
	char address[64], buf[64];
	ssize_t n;
	pid_t pid;

	snprintf(address, sizeof address, "unix:@example-04-%d?type=seqpacket",
		 (int)getpid());
	need(NULL, ferry_listen(&door, address), "listen");
	need(NULL, ferry_pair(ends, "pipe:"), "pair");
	if ((pid = fork()) == 0) {
		ferry_close(ends[0]);
		child(ends[1], address);
	}
	ferry_close(ends[1]); /* or there would never be an end */
	while ((n = ferry_read(ends[0], buf, sizeof buf, FERRY_FOREVER)) >= 0)
		fwrite(buf, 1, (size_t)n, stdout);
	printf("\nend of the pipe: %s\n", ferry_error_name((int)n));
	need(door, ferry_accept(door, &peer, ferry_after(FERRY_S(5))),
	     "accept");
	need(peer, ferry_peer(peer, &who), "peer");
	n = ferry_recv(peer, buf, sizeof buf, ferry_after(FERRY_S(5)));
	need(peer, (int)n, "recv");
	printf("%s says: %.*s\n", who.pid == pid ? "my child" : "a stranger",
	       (int)n, buf);
	ferry_close(peer);
	ferry_close(door);
	ferry_close(ends[0]);
	return waitpid(pid, NULL, 0) != pid;
}
