namespace Retry.Messaging.RabbitMq;

/// <summary>The one home of the ids of our log events.</summary>
internal static class LogEvents
{
    public const int OutcomesHeld = 1001;
    public const int TopologyRefused = 1002;
    public const int PointReady = 1003;
    public const int TopologyDiffers = 1004;
    public const int PolicyUnseen = 1005;
    public const int ParkedElsewhere = 1006;
    public const int TopologyMended = 1007;
    public const int TopologyWaits = 1008;
    public const int TopologyMissing = 1009;
    public const int TopologyComplete = 1010;
    public const int TopologyUnseen = 1011;
    public const int HeadersCut = 1012;
    public const int PointNotDeclared = 1013;
    public const int AcknowledgementsUnanswered = 1014;
    public const int NotSettled = 1015;
    public const int NotAcknowledged = 1025;
    public const int RetryScheduled = 1101;
    public const int Parked = 1102;
    public const int Dropped = 1103;
    public const int CameEarly = 1104;
    public const int GivenBack = 1105;
    public const int FaultNotSent = 1106;
    public const int Suspected = 1107;
    public const int LeftAlone = 1108;
    public const int EndpointMisspelt = 1109;
    public const int EndpointUnknown = 1110;
    public const int SettingDoubtful = 1111;
    public const int RedeliveryScheduled = 1120;
    public const int RetriesLeftOut = 1135;
    public const int TopologyForbidden = 1136;
    public const int LimiterDown = 1201;
    public const int LimiterStandingBy = 1202;
    public const int LimiterActive = 1203;
    public const int LimiterPaused = 1204;
    public const int LimiterWaits = 1205;
    public const int ReleaseDrained = 1206;
    public const int LimiterEnded = 1207;
    public const int DispatcherDown = 1301;
    public const int DispatcherStandingBy = 1302;
    public const int DispatcherActive = 1303;
    public const int ScheduledWentAsLost = 1304;
    public const int ScheduledCameEarly = 1305;
    public const int ScheduledWaits = 1306;
    public const int OutcomeWentAsLost = 1215;
    public const int OutcomeHasNoWay = 1216;
    public const int LostMoved = 1217;
    public const int LostNotMoved = 1218;
    public const int ConsumerAbandoned = 1220;
    public const int TimeoutUnseen = 1221;
    public const int InstancesUnknown = 1222;
    public const int StopNotSaid = 1223;
    public const int CameBack = 1224;
}
