
import django.db.models.deletion
import django.db.models.functions.datetime
import meetings.models.fields
import meetings.models.version
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.CharField(editable=False, max_length=150, primary_key=True, serialize=False, unique=True)),
                ('prefix', models.CharField(editable=False, max_length=8, unique=True)),
                ('hashed_key', models.CharField(editable=False, max_length=150)),
                ('created', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('name', models.CharField(default=None, help_text='A free-form name for the API key. Need not be unique. 50 characters max.', max_length=50)),
                ('revoked', models.BooleanField(blank=True, default=False, help_text='If the API key is revoked, clients cannot use it anymore. (This cannot be undone.)')),
                ('expiry_date', models.DateTimeField(blank=True, help_text='Once API key expires, clients cannot use it anymore.', null=True, verbose_name='Expires')),
                ('senders', models.JSONField(default=list, help_text='Senders that this key may speak for, such as ["*@example.com", "hr@example.org"].')),
                ('respond_async', models.BooleanField(default=False, help_text='Its calls are answered at once (202) and mailed in the background.')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
                'ordering': ('-created',),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Mail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(choices=[('REQUEST', 'REQUEST'), ('CANCEL', 'CANCEL')], max_length=7, verbose_name='METHOD')),
                ('message_id', models.CharField(max_length=255, unique=True, verbose_name='Message-ID')),
                ('dtstamp', models.DateTimeField(verbose_name='DTSTAMP')),
                ('subject', models.TextField()),
                ('whole', models.BooleanField(db_default=True, default=True, help_text='About the whole meeting: it makes what is older superfluous.')),
                ('envelope_from', models.CharField(max_length=320)),
                ('raw', models.BinaryField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Meeting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(max_length=255, unique=True, verbose_name='UID')),
                ('status', models.CharField(choices=[('CONFIRMED', 'confirmed'), ('CANCELLED', 'cancelled')], default='CONFIRMED', max_length=9)),
                ('sequence', models.PositiveIntegerField(default=0, verbose_name='SEQUENCE')),
                ('dtstamp', models.DateTimeField(help_text="Of the newest message; the next one's is later.", verbose_name='DTSTAMP')),
                ('organizer_address', models.CharField(max_length=320)),
                ('organizer_name', models.CharField(blank=True, max_length=255)),
                ('summary', models.CharField(max_length=1000)),
                ('description', models.TextField(blank=True)),
                ('location', models.CharField(blank=True, max_length=1000)),
                ('start', meetings.models.fields.WallClockField(help_text="Wall-clock time in the meeting's zone; of a series, its first occurrence.")),
                ('end', meetings.models.fields.WallClockField(help_text="Wall-clock time in the meeting's zone, exclusive.")),
                ('tzid', models.CharField(max_length=64, verbose_name='time zone')),
                ('all_day', models.BooleanField(default=False)),
                ('rrule', models.CharField(blank=True, max_length=255, verbose_name='RRULE')),
                ('exdates', models.JSONField(blank=True, default=list, verbose_name='EXDATE')),
                ('reminder', models.PositiveIntegerField(blank=True, help_text='Minutes before the start.', null=True)),
                ('ends_at', models.DateTimeField(help_text='The instant at which the last occurrence ends.')),
                ('comment', models.TextField(blank=True, verbose_name='reason of the cancellation')),
                ('language', models.CharField(max_length=10)),
                ('thread', models.CharField(blank=True, max_length=255, verbose_name='first Message-ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('api_key', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='meetings', to='meetings.apikey', to_field='prefix')),
                ('continues', models.OneToOneField(blank=True, help_text='The series that this one goes on.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='meetings.meeting')),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': [('cancel_meeting', 'Can cancel a meeting'), ('resend_meeting', 'Can mail a meeting again')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=320)),
                ('address_key', models.CharField(max_length=320)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('sending', 'sending'), ('sent', 'sent'), ('failed', 'failed'), ('superseded', 'superseded')], default='queued', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lease_until', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(help_text='No further try after this instant.')),
                ('may_have_left', models.BooleanField(default=False, help_text="An attempt ended without the mail server's word.")),
                ('promised', models.BooleanField(db_default=False, default=False, help_text='A call was told that it is queued while another call was sending it.')),
                ('last_reply', models.TextField(blank=True, help_text="The mail server's last words.")),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(help_text='End of the newest attempt.', null=True)),
                ('mail', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.mail')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.meeting')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Attendee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=320)),
                ('address_key', models.CharField(editable=False, max_length=320)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('role', models.CharField(choices=[('REQ-PARTICIPANT', 'REQ-PARTICIPANT'), ('OPT-PARTICIPANT', 'OPT-PARTICIPANT'), ('NON-PARTICIPANT', 'NON-PARTICIPANT')], max_length=15)),
                ('partstat', models.CharField(choices=[('NEEDS-ACTION', 'NEEDS-ACTION'), ('ACCEPTED', 'ACCEPTED'), ('DECLINED', 'DECLINED'), ('TENTATIVE', 'TENTATIVE'), ('DELEGATED', 'DELEGATED')], max_length=12, verbose_name='PARTSTAT')),
                ('position', models.PositiveIntegerField()),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attendees', to='meetings.meeting')),
            ],
            options={
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='OccurrenceOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recurrence_id', meetings.models.fields.WallClockField(verbose_name='RECURRENCE-ID')),
                ('is_cancelled', models.BooleanField(default=False)),
                ('changes', models.JSONField(default=dict, help_text='Property → value; what is absent is as in the series.')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='meetings.meeting')),
            ],
            options={
                'ordering': ('recurrence_id',),
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField(verbose_name='SEQUENCE')),
                ('changes', models.JSONField(default=dict, help_text='Property → old and new value.')),
                ('asked_by', models.CharField(max_length=200)),
                ('tzdata', models.CharField(default=meetings.models.version.tzdata_version, help_text="Version of the zones' laws it was mailed with.", max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='meetings.meeting')),
            ],
            options={
                'ordering': ('sequence',),
            },
        ),
        migrations.AddField(
            model_name='mail',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='meetings.version'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['-created_at'], name='meetings_me_created_c5ff00_idx'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['start'], name='meetings_me_start_157cea_idx'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['organizer_address'], name='meetings_me_organiz_a864c2_idx'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['due_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['lease_until'], name='delivery_leased'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ('queued', 'sending'))), fields=['meeting', 'address_key'], name='delivery_live'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'failed', 'superseded'])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until__isnull', False), _connector='OR'), name='sending_has_a_lease'),
        ),
        migrations.AddConstraint(
            model_name='attendee',
            constraint=models.UniqueConstraint(fields=('meeting', 'address_key'), name='attendee_once_a_meeting'),
        ),
        migrations.AddConstraint(
            model_name='occurrenceoverride',
            constraint=models.UniqueConstraint(fields=('meeting', 'recurrence_id'), name='override_once_an_occurrence'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('meeting', 'sequence'), name='sequence_once_a_meeting'),
        ),
        migrations.AddIndex(
            model_name='mail',
            index=models.Index(condition=models.Q(('raw__isnull', False)), fields=['created_at'], name='message_with_bytes'),
        ),
    ]
