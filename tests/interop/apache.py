"""Apache's servers and Java clients: how they are built and started."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.requests.admin import UpdateBrokerConfig
from rocketmq_tw.wire.requests.route import GetClusterInfo
from tests.ports import free_port

from .program import Process, Program, one_at_a_time, wait_until
from .requests import asked

JAVA = Path(__file__).parent / "java"
RELEASES = ("v49", "v53", "v55")
"""Maven modules; the Apache release of each stands in its ``pom.xml``."""

_OPEN = ("java.base/sun.nio.ch", "java.base/java.nio", "java.base/jdk.internal.ref")
_LOGBACK = """<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{file}</file>
    <encoder><pattern>%d %p %t - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
"""


def missing_tools() -> list[str]:
    """Name the programs that are needed here and not installed."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def build() -> None:
    """Compile the Java programs and list their class paths, unless that was done."""
    with one_at_a_time(JAVA / "target"):
        _build()


def _build() -> None:
    sources = [*JAVA.glob("pom.xml"), *JAVA.glob("v*/pom.xml"), *JAVA.rglob("*.java")]
    newest = max(path.stat().st_mtime for path in sources)
    stamp = JAVA / "target" / "built"
    if stamp.exists() and stamp.stat().st_mtime > newest:
        return
    command = ["mvn", "-q", "-B", "process-classes"]
    if subprocess.run([*command, "-o"], cwd=JAVA, capture_output=True).returncode:
        done = subprocess.run(command, cwd=JAVA, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]
    stamp.touch()


def class_path(release: str) -> str:
    """Return the class path of the programs, after :func:`build`."""
    module = JAVA / release / "target"
    return f"{module / 'classes'}:{(module / 'classpath.txt').read_text()}"


def _java(release: str, scratch: Path, heap: str, *flags: str) -> list[str]:
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPEN]
    return [
        "java",
        "-Xms64m",
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Duser.home={scratch}",
        *opened,
        *flags,
        "-cp",
        class_path(release),
    ]


def program(release: str, name: str, scratch: Path, **options: object) -> Program:
    """
    Start a Java program of ours (``SendMessages``, ``ConsumeMessages``, ...).

    :param options: what follows ``--``; ``jvm`` is flags of the virtual machine, with
        blanks between them.
    """
    flags = str(options.pop("jvm", "")).split()
    words = [text for k, v in options.items() for text in (f"--{k}", str(v))]
    command = [
        *_java(release, scratch, "384m", *flags),
        f"org.example.interop.{name}",
        *words,
    ]
    log = scratch / f"{name}-{free_port()}.log"
    # Some commands of mqadmin write files where they run.
    return Program(command, log, directory=scratch)


def admin(release: str, scratch: Path, name_servers: str, **options: object) -> Program:
    """
    Start a program that runs the ``mqadmin`` commands given to :func:`command`.

    :param options: of ``AdminCommands``. Commands that end the program end alone.
    """
    home = f"-Drocketmq.home.dir={home_of(scratch, 'tools')}"
    flags = f"{home} -Djava.security.manager=allow"
    options = {"namesrv": name_servers, "jvm": flags, **options}
    return program(release, "AdminCommands", scratch, **options)


def command(tool: Program, words: str) -> str:
    """Run one ``mqadmin`` command; return what it printed."""
    return str(tool.ask(words, "admin")["output"])


def home_of(scratch: Path, name: str) -> Path:
    """Make the folder in which a server, or the tool, finds its files."""
    home = scratch / f"home-{name}"
    (home / "conf").mkdir(parents=True, exist_ok=True)
    for server in ("broker", "namesrv", "tools"):
        text = _LOGBACK.format(file=home / f"{server}.log")
        (home / "conf" / f"logback_{server}.xml").write_text(text)
    return home


class ApacheServer:
    """
    One name server or broker of Apache in a process of its own, once its port is open.
    """

    def __init__(
        self,
        release: str,
        main: str,
        scratch: Path,
        conf: dict[str, object],
        jvm: tuple[str, ...] = (),
    ) -> None:
        self.port = int(str(conf["listenPort"]))
        home = home_of(scratch, f"{main.rsplit('.', 1)[-1]}-{self.port}")
        path = home / "server.conf"
        path.write_text("".join(f"{key}={value}\n" for key, value in conf.items()))
        flags = (f"-Drocketmq.home.dir={home}", "-XX:MaxDirectMemorySize=1g", *jvm)
        self.process = Process(
            [*_java(release, home, "1g", *flags), main, "-c", str(path)],
            home / "server.log",
        )
        try:
            self.process.wait_for_port(self.port)
        except BaseException:
            self.process.kill()
            raise

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it as an operator would, with SIGTERM: the store is closed cleanly."""
        status = self.process.terminate()
        assert status in (0, 143), f"status {status}: {self.process.tail()}"

    def abandon(self) -> None:
        """Kill it: a clean stop takes up to 20 s, and nobody reads its store."""
        self.process.kill()


def name_server(
    release: str, scratch: Path, *, jvm: tuple[str, ...] = (), **more: Any
) -> ApacheServer:
    """Start Apache's name server and wait for its port; ``more`` are settings."""
    conf: dict[str, object] = {"listenPort": free_port(), **more}
    main = "org.apache.rocketmq.namesrv.NamesrvStartup"
    return ApacheServer(release, main, scratch, conf, jvm)


def broker(
    release: str,
    scratch: Path,
    name_servers: str,
    name: str = "broker-apache",
    store: Path | None = None,
    *,
    jvm: tuple[str, ...] = (),
    **more: Any,
) -> ApacheServer:
    """
    Start Apache's broker and wait for its port.

    :param store: its store directory; a new one if absent.
    :param more: further lines of its configuration.
    """
    port = free_port()
    directory = store or scratch / f"store-{name}-{port}"
    conf: dict[str, object] = {
        "brokerClusterName": "DefaultCluster",
        "brokerName": name,
        "brokerId": 0,
        "brokerIP1": "127.0.0.1",
        "listenPort": port,
        "haListenPort": port + 1,
        "namesrvAddr": name_servers,
        "storePathRootDir": directory,
        "storePathCommitLog": directory / "commitlog",
        "defaultTopicQueueNums": 4,
        "autoCreateTopicEnable": "true",
        # A busy test machine must not make the broker drop one-way messages.
        "waitTimeMillsInSendQueue": 20_000,
        "osPageCacheBusyTimeOutMills": 20_000,
        # Undecided transactions are looked at soon, not every 30 s; but 5.3 takes
        # 3 s to note a verdict and would ask about decided ones before.
        "transactionCheckInterval": 5_000,
        "transactionTimeOut": 6_000,
        **more,
    }
    main = "org.apache.rocketmq.broker.BrokerStartup"
    server = ApacheServer(release, main, scratch, conf, jvm)
    # Members of a group with an acting master decide themselves when they are online.
    if release != "v49" and "enableSlaveActingMaster" not in conf:
        _register(port, int(name_servers.partition(";")[0].rpartition(":")[2]))
    return server


def _register(broker: int, names: int) -> None:
    """
    Let a broker of 5.x register now.

    It registers at its start only if it has probed the name servers by then, in another
    thread; else ten seconds later. Being told its permission, it registers again. Where
    one of the servers wants TLS or a signature, the tests wait as everybody does.

    :param broker: its port.
    :param names: the port of the name server.
    """
    address = f':{broker}"'.encode()  # the host may be one of IPv6

    def done() -> bool:
        told = asked(broker, UpdateBrokerConfig(body=b"brokerPermission=6"))
        listed = asked(names, GetClusterInfo())
        return bool(told.code or listed.code or address in (listed.body or b""))

    with suppress(OSError):
        wait_until(done, 60, f"the registration of port {broker}")
