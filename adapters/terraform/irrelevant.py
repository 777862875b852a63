"""Resource types that take no accelerators, no governed money and no data: only counted.

A type in neither this table nor ``types.COVERED`` is reported as not covered. Hence the table names
what is known to be harmless: networks, identities, names, keys, monitoring, the settings of a store
but not the store itself. Whatever a provider adds is reported until somebody has looked. Types that
can hold anything (templates, stacks, charts, manifests) and those that change the size of something
else (scaling targets and schedules) are left out on purpose.

Every entry is a prefix of the type.
"""

from __future__ import annotations

import re
from functools import lru_cache

_OTHERS = """
archive_ auth0_ authentik_ azuread_ azuredevops_ boundary_ circleci_ cloudflare_ cloudinit_ consul_
datadog_ dns_ dnsimple_ external github_ gitea_ gitlab_ grafana_ http keycloak_ launchdarkly_ local_
mailgun_ namecheap_ newrelic_ ns1_ null_ okta_ opsgenie_ pagerduty_ postmark_ powerdns_ random_
sendgrid_ sentry_ sops_ splunk_ statuscake_ tailscale_ template_ terraform_data tfe_ time_ tls_
twilio_ uptimerobot_ vault_
"""

_AWS = """
accessanalyzer_ account_ acm_ acmpca_ alb_listener alb_target ami_launch_permission api_gateway_
apigatewayv2_ autoscaling_attachment autoscaling_lifecycle_hook autoscaling_notification budgets_
caller_identity ce_ chatbot_ cloudformation_type cloudtrail cloudwatch_ codestarconnections_
codestarnotifications_ config_ controltower_ customer_gateway dax_parameter_group dax_subnet_group
db_event_subscription db_option_group db_parameter_group db_security_group db_subnet_group
default_network_acl default_route_table default_security_group default_subnet default_vpc
devopsguru_ directory_service_ dms_certificate dms_event_subscription dms_replication_subnet_group
docdb_cluster_parameter_group docdb_event_subscription docdb_subnet_group dx_ ebs_default_kms_key
ebs_encryption_by_default ec2_client_vpn ec2_instance_connect ec2_instance_metadata_defaults
ec2_local_gateway ec2_managed_prefix_list ec2_network_insights ec2_serial_console
ec2_subnet_cidr_reservation ec2_tag ec2_traffic_mirror ec2_transit_gateway ecr_lifecycle_policy
ecr_pull_through_cache ecr_registry_policy ecr_registry_scanning ecr_repository_policy
ecs_account_setting ecs_cluster_capacity_providers ecs_tag efs_access_point
efs_file_system_policy efs_mount_target egress_only_internet_gateway eip eks_access_ eks_addon
eks_cluster eks_identity_provider eks_pod_identity elasticache_parameter_group
elasticache_subnet_group elasticache_user elb flow_log glue_resource_policy
glue_security_configuration globalaccelerator_ guardduty_ iam_ identitystore_ inspector
internet_gateway key_pair kms_ lakeformation_permissions lambda_alias lambda_event_source_mapping
lambda_function_event_invoke lambda_function_url lambda_permission lb lightsail_static_ip
load_balancer main_route_table_association media_package_policy memorydb_acl
memorydb_parameter_group memorydb_subnet_group memorydb_user nat_gateway neptune_cluster_parameter
neptune_event_subscription neptune_parameter_group neptune_subnet_group network_acl
network_interface networkfirewall_ networkmanager_ organizations_ placement_group prefix_list
proxy_protocol_policy ram_ rds_certificate rds_cluster_parameter_group redshift_parameter_group
redshift_subnet_group resourceexplorer2_ resourcegroups_ rolesanywhere_ route s3_account_
s3_bucket_accelerate s3_bucket_acl s3_bucket_analytics s3_bucket_cors s3_bucket_intelligent_tiering
s3_bucket_inventory s3_bucket_lifecycle s3_bucket_logging s3_bucket_metric s3_bucket_notification
s3_bucket_object_lock s3_bucket_ownership s3_bucket_policy s3_bucket_public_access_block
s3_bucket_request_payment s3_bucket_server_side_encryption s3_bucket_versioning s3_bucket_website
schemas_ secretsmanager_ security_group securityhub_ service_discovery_ servicequotas_ ses_ sesv2_
shield_ signer_ snapshot_create_volume_permission sns_platform sns_sms sns_topic_policy
sns_topic_subscription sqs_queue_policy sqs_queue_redrive ssm_association ssm_document
ssm_maintenance ssm_parameter ssm_patch ssm_service_setting ssoadmin_ subnet synthetics_
verifiedaccess_ volume_attachment vpc vpn_ waf xray_
"""

_GOOGLE = """
access_context_manager_ api_gateway_ apikeys_ artifact_registry_vpcsc billing_ binary_authorization_
certificate_manager_ cloud_asset_ cloud_identity_ cloud_run_domain_mapping cloud_run_service_iam
compute_address compute_attached_disk compute_backend_bucket_signed compute_backend_service
compute_external_vpn compute_firewall compute_forwarding_rule compute_global_ compute_ha_vpn
compute_health_check compute_http_health compute_https_health compute_interconnect
compute_managed_ssl compute_network compute_organization_security compute_packet_mirroring
compute_project_ compute_region_backend_service compute_region_health compute_region_network
compute_region_security compute_region_ssl compute_region_target compute_region_url_map
compute_resource_policy compute_route compute_security_policy compute_service_attachment
compute_shared_vpc compute_ssl compute_subnetwork compute_target compute_url_map compute_vpn
data_catalog_policy_tag data_catalog_tag_template data_catalog_taxonomy dns_ endpoints_
essential_contacts firebase_android_app firebase_apple_app firebase_project firebase_web_app folder
iam_ iap_ identity_platform_ kms_ logging_ monitoring_ network_connectivity_ network_management_
network_security_ network_services_ org_policy_ organization_ os_config_ os_login_ privateca_
project pubsub_schema recaptcha_enterprise_ resource_manager_lien scc_ secret_manager_ service_
storage_bucket_access_control storage_bucket_acl storage_default_object storage_hmac_key
storage_notification storage_object_access_control storage_object_acl sql_ssl_cert sql_user tags_
vmwareengine_network vpc_access_
"""

_AZURE = """
aadb2c_ advanced_threat_protection advisor_ api_management app_configuration_feature
application_gateway application_insights application_security_group attestation_
automation_certificate automation_connection automation_credential automation_schedule
automation_variable automation_webhook availability_set bastion_host billing_ cdn_ client_config
consumption_budget cost_ custom_ip_prefix dashboard dedicated_hardware_security_module
disk_access disk_encryption_set dns_ eventgrid_event_subscription eventgrid_system_topic
express_route federated_identity_credential firewall frontdoor ip_group key_vault
kubernetes_cluster_extension kubernetes_cluster_trusted kubernetes_flux lb lighthouse_
local_network_gateway log_analytics_ logic_app_trigger maintenance_ management_group
management_lock marketplace_ monitor_ mssql_firewall_rule mssql_virtual_network_rule
mysql_firewall_rule mysql_flexible_server_configuration mysql_flexible_server_firewall nat_gateway
network notification_hub pim_ point_to_site_vpn policy_ portal_ postgresql_configuration
postgresql_firewall_rule postgresql_flexible_server_configuration
postgresql_flexible_server_firewall postgresql_virtual_network_rule private_dns private_endpoint
private_link proximity_placement_group public_ip relay_ resource_group_cost resource_group_policy
resource_policy resource_provider role_ route security_center sentinel_ signalr_service_network
signalr_shared_private ssh_public_key storage_account_customer_managed_key
storage_account_network_rules storage_management_policy subnet subscription traffic_manager
user_assigned_identity virtual_hub virtual_network virtual_wan vpn_ web_application_firewall
web_pubsub_network
"""

_PREFIXES = (
    *_OTHERS.split(),
    *(f"aws_{name}" for name in _AWS.split()),
    *(f"google_{name}" for name in _GOOGLE.split()),
    *(f"azurerm_{name}" for name in _AZURE.split()),
)
# A name alone, because longer ones that start with it hold something.
_EXACT = frozenset({"aws_alb", "aws_region", "aws_service", "azurerm_resource_group"})

# Who may use a thing, whatever the thing is.
_ACCESS = re.compile(r"google_\w+_iam_(?:audit_config|binding|custom_role|member|policy)\Z")


# No provider's names come near this; whatever is longer is not worth remembering.
_LONGEST = 128


def is_irrelevant(kind: str) -> bool:
    """Whether resources of type *kind* take nothing of what is governed."""
    return len(kind) <= _LONGEST and _matches(kind)


@lru_cache(maxsize=2048)
def _matches(kind: str) -> bool:
    return kind.startswith(_PREFIXES) or kind in _EXACT or _ACCESS.match(kind) is not None
