/* SPDX-License-Identifier: MIT */
/* What the tests of logs share. */
#ifndef FERRY_TEST_FILE_H
#define FERRY_TEST_FILE_H

#include <fcntl.h>

extern char log_path[100];

/* The address of this test's log, with the keys. */
char *log_at(const char *keys);

void open_log(const char *keys_of_sender, const char *keys_of_receiver);
void end_log(void); /* close both, remove it */

/* What senders lock with (F_WRLCK), and what drops it (F_UNLCK). */
struct flock senders_lock(short type);

#endif
