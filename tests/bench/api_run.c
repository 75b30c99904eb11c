/* api-run PROGRAM LOG: starts the levelling API (configured by the environment, on a free port), waits for its first good answer from the data
 * and prints "PID PORT MILLISECONDS" from exec to that answer. The server goes on; whoever called ends it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The port that the log names, or 0. */
static int port_in(const char *log)
{
	char text[4096] = "";
	const char *found;
	FILE *file = fopen(log, "r");

	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	found = strstr(text, " port=");
	return found ? (int)strtol(found + 6, NULL, 10) : 0;
}

static int good_answer(int port)
{
	static const char request[] =
		"GET /user_points/?format=json&page_size=20&page=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	char answer[16] = "";
	int fd = socket(AF_INET, SOCK_STREAM, 0), good;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	good = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
	       recv(fd, answer, sizeof(answer) - 1, 0) > 12 && strstr(answer, " 200");
	if (fd >= 0)
		close(fd);
	return good;
}

int main(int argc, char **argv)
{
	double start = now_ms();
	int port = 0, log;
	pid_t pid;

	if (argc != 3)
		return 2;
	log = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	pid = log < 0 ? -1 : fork();
	if (pid == 0) {
		dup2(log, STDERR_FILENO);
		dup2(log, STDOUT_FILENO);
		execl(argv[1], argv[1], (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && now_ms() < start + 60000) {
		if (!port)
			port = port_in(argv[2]);
		if (port && good_answer(port)) {
			printf("%d %d %.0f\n", (int)pid, port, now_ms() - start);
			return 0;
		}
		usleep(port ? 500 : 200);
	}
	if (pid > 0)
		kill(pid, SIGKILL);
	fprintf(stderr, "api-run: no answer from %s; see %s\n", argv[1], argv[2]);
	return 1;
}
