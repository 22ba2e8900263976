"""moto's server with what it lacks for Terraform. For tests only: no stack is changed for moto's sake.

moto 5.2.1 differs from AWS in a few answers that Terraform's AWS provider reads back, so that a second plan would
show changes, or an apply would end, where AWS would do neither. Each patch says which answer it mends.

Run as `python3 moto_shim.py`: prints `listening on PORT`, ends when its standard input does.
Environment: MOTO_AMIS_PATH names the images that every region starts with (test/deploy/ground/amis.ts).
"""

import base64
import collections
import json
import os
import sys
import threading
import uuid

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import amis
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses import EC2Response, instances
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import parse_user_data, random_resource_id
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.route53.responses import Route53
from werkzeug.serving import make_server


def patch(owner, name):
    """Puts a function that is given the original first in the original's place."""

    def put(replacement):
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: replacement(original, *args, **kwargs))

    return put


# A rule of a protocol without ports (4: IP in IP) may leave them out. moto: int(None), answered with 500.
@patch(SecurityGroupRule, "__init__")
def rule_ports(original, self, ec2_backend, ip_protocol, group_id, from_port, to_port, *args, **kwargs):
    ports = [-1 if port is None else port for port in (from_port, to_port)]
    original(self, ec2_backend, ip_protocol, group_id, *ports, *args, **kwargs)


# A rule that names a group has a description, too. moto knows only that of a range.
SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or self.source_group.get("Description")
)


# A gp3 volume has a throughput of 125 MiB/s where none is asked for. moto: none.
@patch(EBSBackend, "create_volume")
def volume_throughput(original, self, *args, **kwargs):
    volume = original(self, *args, **kwargs)
    if volume.volume_type == "gp3" and not volume.throughput:
        volume.throughput = 125
    return volume


# A machine's volumes have the IOPS and throughput that were asked for. moto drops both.
@patch(InstanceResponse, "_parse_block_device_mapping")
def asked_throughput(original, self):
    asked = {one.get("DeviceName"): one.get("Ebs", {}) for one in self._get_param("BlockDeviceMappings", [])}
    mappings = original(self)
    for mapping in mappings:
        mapping["Ebs"]["Throughput"] = asked[mapping["DeviceName"]].get("Throughput")
    return mappings


@patch(InstanceBackend, "run_instances")
def kept_throughput(original, self, *args, **kwargs):
    reservation = original(self, *args, **kwargs)
    mappings = kwargs.get("block_device_mappings")
    if not mappings and kwargs.get("launch_template"):
        mappings = self._get_template_from_args(kwargs["launch_template"]).data.get("BlockDeviceMappings")
    for instance in reservation.instances:
        for mapping in mappings or []:
            device = instance.block_device_mapping.get(mapping["DeviceName"])
            ebs = mapping.get("Ebs", {})
            if device:
                volume = self.get_volume(device.volume_id)
                volume.iops = ebs.get("Iops") or volume.iops
                volume.throughput = ebs.get("Throughput") or volume.throughput
    return reservation


# The network interface that a machine was started with goes with it. moto keeps it, and destroy would seem to leave it.
@patch(Instance, "prep_nics")
def own_interfaces(original, self, nic_spec, *args, **kwargs):
    given = {spec.get("NetworkInterfaceId") for spec in nic_spec}
    kept = {str(spec.get("DeviceIndex")) for spec in nic_spec if spec.get("DeleteOnTermination") is False}
    original(self, nic_spec, *args, **kwargs)
    for index, interface in self.nics.items():
        if interface.id not in given and str(index) not in kept:
            interface.delete_on_termination = True


# A machine stands where its network interface does. moto: in the first zone, if the interface was there before it.
@patch(Instance, "prep_nics")
def zone_of_interface(original, self, nic_spec, *args, **kwargs):
    original(self, nic_spec, *args, **kwargs)
    if 0 in self.nics:
        self._placement.zone = self.nics[0].subnet.availability_zone


# A network interface that a machine was given lets go of it when it ends. moto keeps it attached, for good.
@patch(Instance, "terminate")
def given_interfaces(original, self):
    before = original(self)
    nics = dict(self.nics)
    for interface in nics.values():
        if not interface.delete_on_termination:
            self.detach_eni(interface)
    # What a machine that has ended says of itself, it reads from them.
    self.nics = nics
    return before


# New user data of a machine arrive decoded, since that is how the call has them. moto decodes them once more.
@patch(instances, "parse_user_data")
def changed_user_data(original, value):
    return original(base64.b64encode(value) if isinstance(value, bytes) else value)


# The tags of a launch template are not among those that it gives to machines, and user data of a later version are as
# those of the first. moto mixes the tags, and takes the later ones as they are.
@patch(LaunchTemplate, "create_version")
def template_data(original, self, data, description):
    specs = [one for one in data.get("TagSpecifications", []) if one["ResourceType"] != "launch-template"]
    user_data = data.get("UserData")
    if user_data is not None and not isinstance(user_data, Base64EncodedString):
        user_data = parse_user_data(user_data)
    return original(self, {**data, "TagSpecifications": specs, "UserData": user_data}, description)


# With a NAT gateway goes its network interface, and its address is free again. moto keeps both as they are.
@patch(NatGatewayBackend, "delete_nat_gateway")
def interface_of_gateway(original, self, nat_gateway_id):
    gateway = original(self, nat_gateway_id)
    for address in self.describe_addresses():
        if address.eni is gateway._eni:
            self.disassociate_address(association_id=address.association_id)
    self.delete_network_interface(gateway._eni.id)
    return gateway


# A refresh puts machines of the group's new template in the place of all that it has. moto knows no refreshes. AWS takes
# them one after the other, and its time; here they are there at once.
def start_instance_refresh(self):
    group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
    self.autoscaling_backend.ec2_backend.terminate_instances([one.instance.id for one in group.instance_states])
    group.instance_states = []
    group.set_desired_capacity(group.desired_capacity)
    return ActionResult({"InstanceRefreshId": str(uuid.uuid4())})


AutoScalingResponse.start_instance_refresh = start_instance_refresh


# Placement groups. moto has none.
class Group:
    state = "available"

    def __init__(self, response):
        self.group_name = response._get_param("GroupName")
        self.strategy = response._get_param("Strategy", "cluster")
        self.spread_level = response._get_param("SpreadLevel", "rack" if self.strategy == "spread" else None)
        self.partition_count = response._get_param("PartitionCount")
        self.group_id = f"pg-{random_resource_id(17)}"
        backend = response.ec2_backend
        self.group_arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{self.group_name}"
        self.tags = [
            {"Key": key, "Value": value}
            for key, value in response._parse_tag_specification().get("placement-group", {}).items()
        ]


def groups(response):
    return response.ec2_backend.__dict__.setdefault("placement_groups", {})


def create_placement_group(self):
    group = Group(self)
    if group.group_name in groups(self):
        raise EC2ClientError("InvalidPlacementGroup.Duplicate", f"{group.group_name} is there already.")
    groups(self)[group.group_name] = group
    return ActionResult({"PlacementGroup": group})


def describe_placement_groups(self):
    names = self._get_param("GroupNames", []) + self._filters_from_querystring().get("group-name", [])
    ids = self._get_param("GroupIds", [])
    found = [
        group
        for group in groups(self).values()
        if (not names or group.group_name in names) and (not ids or group.group_id in ids)
    ]
    if (names or ids) and not found:
        raise EC2ClientError("InvalidPlacementGroup.Unknown", f"The placement group {(names + ids)[0]} is unknown.")
    return ActionResult({"PlacementGroups": found})


def delete_placement_group(self):
    if groups(self).pop(self._get_param("GroupName"), None) is None:
        raise EC2ClientError("InvalidPlacementGroup.Unknown", "The placement group is unknown.")
    return ActionResult({})


for action in (create_placement_group, describe_placement_groups, delete_placement_group):
    setattr(EC2Response, action.__name__, action)


@patch(InstanceResponse, "run_instances")
def placed(original, self):
    answer = original(self)
    for instance in answer.result.instances:
        instance.placement.group_name = self._get_param("Placement.GroupName")
    return answer


# A zone that is made with a VPC is private to it. moto forgets the VPC unless the zone is called private as well.
@patch(Route53, "_get_bool_param")
def private_zone(original, self, name, *args):
    if name == "HostedZoneConfig.PrivateZone" and self._get_param("VPC.VPCId"):
        return True
    return original(self, name, *args)


# moto's models are not made for two threads: of two rules that are revoked at once, one may not be found.
one_at_a_time = threading.RLock()


# What moto does not know is the caller's mistake, and final. moto: 500, which the provider tries again for minutes.
@patch(BaseResponse, "call_action")
def answered(original, self):
    with one_at_a_time:
        try:
            return original(self)
        except NotImplementedError as error:
            sys.stderr.write(f"unsupported: {error}\n")
            # moto goes by the module of an exception when it writes it in the service's own form.
            kind = type("Unsupported", (ServiceException,), {"__module__": type(self).__module__})
            return self.serialized(ActionResult(kind("UnsupportedOperation", f"moto: {error}")))


# Every region starts with the images of MOTO_AMIS_PATH. moto parses their dates in place, and so only once.
def images():
    with open(os.environ["MOTO_AMIS_PATH"], encoding="utf-8") as file:
        return json.load(file)


@patch(amis.AmiBackend, "_load_amis")
def fresh_images(original, self):
    amis.AMIS = images()
    original(self)


# A publisher's new image is there for everybody. moto registers images of one's own account only; here, whoever looks
# for images finds those that were added to the file since.
@patch(amis.AmiBackend, "describe_images")
def published_images(original, self, *args, **kwargs):
    if any(one["ami_id"] not in self.amis for one in images()):
        self._load_amis()
    return original(self, *args, **kwargs)


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


class Again:
    """Answers a request that is sent again as it was answered before.

    Now and then the provider loses an answer of this server half-way ("use of closed network connection"), and asks
    again under the same id. Carried out twice, what makes something would find it there already.
    """

    kept = 500

    def __init__(self, app):
        self.app = app
        self.answers = collections.OrderedDict()
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        with self.lock:
            before = self.answers.get(invocation)
        if before is None:
            before = self.carry_out(environ)
            if invocation and before[0].startswith("2"):
                with self.lock:
                    self.answers[invocation] = before
                    while len(self.answers) > self.kept:
                        self.answers.popitem(last=False)
        status, headers, body = before
        start_response(status, headers)
        return [body]

    def carry_out(self, environ):
        began = []
        parts = self.app(environ, lambda status, headers, *_: began.append((status, headers)))
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return *began[-1], body


if __name__ == "__main__":
    app = Again(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=end_with_parent, daemon=True).start()
    print(f"listening on {server.port}", flush=True)
    server.serve_forever()
