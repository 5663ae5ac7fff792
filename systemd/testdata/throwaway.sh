# throwaway.sh ROOT PROGRAM UNITS boots systemd as the first process of the namespaces
# that it is started in (mount, pid, network, ipc, host name, cgroup): on a root in
# memory, with this machine's programs to be read. Nothing of it outlives them.
set -eu
root=$1 program=$2 units=$3
vendor=usr/lib/systemd/system

mount --make-rprivate /
mount -t tmpfs -o mode=755,size=256m none "$root"
cd "$root"
mkdir -p dev etc home proc root run sys tmp usr var/tmp
chmod 1777 tmp var/tmp
ln -s ../run var/run
mount -t tmpfs -o mode=755 none run

# Its programs are this machine's; its services are not: of those only what a boot
# needs is there, so that none of the others can start.
mount --bind /usr usr
mount -o remount,bind,ro usr
for dir in bin sbin lib lib64; do ln -s usr/$dir $dir; done
mount -t tmpfs -o mode=755 none $vendor
for unit in basic final local-fs local-fs-pre network network-online multi-user paths shutdown slices sockets swap sysinit timers umount; do
  cp /$vendor/$unit.target $vendor/
done
cp /$vendor/systemd-journald.service /$vendor/systemd-journald.socket /$vendor/systemd-journald-dev-log.socket $vendor/
mkdir $vendor/sockets.target.wants $vendor/sysinit.target.wants
ln -s ../systemd-journald.service $vendor/sysinit.target.wants/
ln -s ../systemd-journald.socket ../systemd-journald-dev-log.socket $vendor/sockets.target.wants/
mount -t tmpfs -o mode=755 none usr/local/bin
install -m 755 "$program" usr/local/bin/syncd
install -m 644 -D -t etc/systemd/system "$units"/syncd.service "$units"/syncd.socket

# A kernel to be looked at, and no devices but those that are nobody's.
mount -t proc none proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
mount -t sysfs -o ro none sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 none dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs none dev/shm

echo 'root:x:0:0::/:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
printf '%s\n' 'passwd: files systemd' 'group: files systemd' 'hosts: files' >etc/nsswitch.conf
echo '127.0.0.1 localhost' >etc/hosts
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id

mkdir old
pivot_root . old
umount -l old
rmdir old
cd /
mount --make-rshared / # as a boot leaves it: systemd hands credentials over by mounts
# container= keeps systemd from the clock, modules and settings of the kernel; so do
# the missing capabilities.
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog,-audit_control,-audit_write,-mac_admin,-mac_override \
  env -i PATH=/usr/sbin:/usr/bin container=throwaway \
  /usr/lib/systemd/systemd --unit=multi-user.target --log-target=journal --show-status=no
