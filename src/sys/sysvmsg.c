/* SPDX-License-Identifier: MIT */
/* See sysvmsg.h. */
#include "sys/sysvmsg.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_EXCEPT /* musl's <sys/msg.h> has it, glibc's with _GNU_SOURCE only */
#define MSG_EXCEPT 020000
#endif

#ifndef MSG_STAT_ANY /* Linux 4.17 */
#define MSG_STAT_ANY 13
#endif

#define READ_BITS  0444
#define WRITE_BITS 0222

static int result(int r)
{
	return r < 0 ? -errno : r;
}

int ferryi_sysv_open(uint32_t key, bool read, bool write)
{
	return result(msgget((key_t)key, (read ? READ_BITS : 0) |
						 (write ? WRITE_BITS : 0)));
}

int ferryi_sysv_create(uint32_t key, unsigned mode)
{
	return result(
		msgget((key_t)key, IPC_CREAT | IPC_EXCL | (int)(mode & 0777)));
}

int ferryi_sysv_ftok(const char *path, int id, uint32_t *out_key)
{
	key_t key = ftok(path, id);

	if (key == (key_t)-1)
		return -errno;
	*out_key = (uint32_t)key;
	return 0;
}

int ferryi_sysv_queues(int (*each)(uint32_t key, void *arg), void *arg)
{
	FILE *f = fopen("/proc/sysvipc/msg", "re");
	char line[512];
	int r = 0, key;

	if (!f)
		return -errno;
	while (r == 0 && fgets(line, sizeof line, f))
		if (sscanf(line, "%d", &key) == 1) /* not of the heading */
			r = each((uint32_t)key, arg);
	fclose(f);
	return r;
}

/*
 * MSG_STAT_ANY asks for no permission; IPC_STAT for that to read.  It goes by place, and
 * the kernel makes that of the number; what it returns is the number of who is there.
 */
static int stat_any(int id, struct msqid_ds *ds)
{
	int r = msgctl(id, MSG_STAT_ANY, ds);

	if (r < 0)
		return -EACCES; /* as without it */
	return r == id ? 0 : -EIDRM;
}

static int stat_of(int id, struct msqid_ds *ds)
{
	int err = result(msgctl(id, IPC_STAT, ds));

	return err == -EACCES ? stat_any(id, ds) : err;
}

int ferryi_sysv_look(int id, struct ferryi_sysv *out)
{
	struct msqid_ds ds;
	int err = stat_of(id, &ds);

	if (err)
		return err;
	out->queued = ds.msg_qnum;
	out->bytes = ds.__msg_cbytes;
	out->bytes_max = ds.msg_qbytes;
	out->sent_by = ds.msg_lspid;
	out->received_by = ds.msg_lrpid;
	out->sent_at = ds.msg_stime;
	out->received_at = ds.msg_rtime;
	return 0;
}

int ferryi_sysv_set_bytes(int id, uint64_t bytes)
{
	struct msqid_ds ds;
	int err;

	if (bytes > ULONG_MAX)
		return -EPERM; /* as what is too much elsewhere */
	err = stat_of(id, &ds);
	if (err)
		return err;
	ds.msg_qbytes = (unsigned long)bytes;
	return result(msgctl(id, IPC_SET, &ds));
}

int ferryi_sysv_remove(int id)
{
	return result(msgctl(id, IPC_RMID, NULL));
}

int ferryi_sysv_send(int id, const struct ferryi_sysv_message *m, size_t len)
{
	int r;

	do
		r = msgsnd(id, m, len, IPC_NOWAIT);
	while (r < 0 && errno == EINTR);
	return result(r);
}

ssize_t ferryi_sysv_recv(int id, struct ferryi_sysv_message *m, size_t size,
			 struct ferryi_sysv_choice choice)
{
	int flags = IPC_NOWAIT | (choice.except ? MSG_EXCEPT : 0);
	ssize_t n;

	do
		n = msgrcv(id, m, size, choice.type, flags);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
