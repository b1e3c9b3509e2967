/* SPDX-License-Identifier: MIT */
/*
 * The sender: every file of a list becomes one message, read from the disk
 * straight into the mailbox.
 *
 * The journal holds how many files were sent.  It is written after the send,
 * so a sender that takes over after a kill sends at most one file again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <string.h>
#include <ferry.h>
#include "demo.h"

/* How long memory may stay exhausted before the sender gives up. */
#define PATIENCE FERRY_S(10)

/* A place for the job; a full tmpfs becomes free as workers go on. */
static int loan(struct ferry_link *jobs, size_t len, struct ferry_message *m)
{
	struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	ferry_time end = ferry_after(PATIENCE);
	int err;

	while ((err = ferry_loan(jobs, len, m, FERRY_FOREVER)) == -ENOSPC &&
	       ferry_after(0) < end)
		nanosleep(&pause, NULL);
	return err;
}

static int send_file(struct ferry_link *jobs, uint64_t number, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct ferry_message m;
	struct stat st;
	struct job *job;
	size_t got = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return demo_failed(path, NULL, -errno);
	err = loan(jobs, sizeof *job + (size_t)st.st_size, &m);
	if (err < 0)
		return demo_failed(path, jobs, err);
	job = m.data;
	job->file = number;
	while (got < (size_t)st.st_size &&
	       (n = read(fd, job->bytes + got, (size_t)st.st_size - got)) > 0)
		got += (size_t)n;
	close(fd);
	m.len = sizeof *job + got;
	err = ferry_commit(&m, FERRY_FOREVER);
	return err < 0 ? demo_failed(path, jobs, err) : 0;
}

/* The whole list, names that end with NUL; NULL when it cannot be read. */
static char *read_list(const char *path, size_t *out_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *list = NULL;

	if (fd >= 0 && !fstat(fd, &st)) {
		list = malloc((size_t)st.st_size + 1);
		if (list && read(fd, list, (size_t)st.st_size) != st.st_size) {
			free(list);
			list = NULL;
		}
		*out_len = (size_t)st.st_size;
	}
	if (fd >= 0)
		close(fd);
	return list;
}

int demo_send(char **args)
{
	int journal = open(args[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint64_t sent = 0, number = 0;
	struct ferry_link *jobs;
	int err, status = 0;
	char *list, *path;
	size_t len;

	list = read_list(args[1], &len);
	if (!list || journal < 0)
		return demo_failed(args[1], NULL, -errno);
	if (pread(journal, &sent, sizeof sent, 0) != sizeof sent)
		sent = 0;
	err = ferry_open(&jobs, args[0], FERRY_SEND);
	if (err < 0)
		return demo_failed(args[0], NULL, err);
	for (path = list; path < list + len && !status;
	     path += strlen(path) + 1) {
		if (++number <= sent)
			continue;
		status = send_file(jobs, number - 1, path);
		if (!status && pwrite(journal, &number, sizeof number, 0) < 0)
			status = demo_failed(args[2], NULL, -errno);
	}
	ferry_close(jobs);
	free(list);
	close(journal);
	return status;
}
