// The tests of the PHP SDK that fail, with the reasons. All but those of `STALE` fail on parse-server 9.10 alike.

/** Wants a server at port 1338 that asks for certificates of clients, or the internet. */
const OUTSIDE = 'needs a server that checks certificates of clients, or the internet';
/** Wants what older versions of parse-server did. */
const OLDER = 'parse-server 9.10 answers otherwise than the version of the SDK expects';
/** PHPUnit's output stands in the way of PHP's sessions, which the SDK can keep its user in. */
const SESSIONS = 'PHPUnit 9 has no PHP session';
/** Sends the session token of a user that the test before deleted. parse-server has the user in its cache for five more seconds. */
const STALE = 'sends the session of a deleted user, which parse-server accepts for five seconds, and reparse never';
/** Wants the end of a job at once. */
const AT_ONCE = 'asks for the end of a job without waiting for it';

/** Test → why it fails. */
export const expected = {
  'ParseAudienceTest.testPushAudiences': OLDER,
  'ParseAudienceTest.testSaveWithoutMaster': OLDER,
  'ParseClientTest.testCurlHttpOptions': OUTSIDE,
  'ParseClientTest.testStreamHttpOptions': OUTSIDE,
  'ParseCurlHttpClientTest.testResponseStatusCode': OUTSIDE,
  'ParseFileTest.testParseFileDownload': OUTSIDE,
  'ParseHooksTest.testCreateFunctionAlreadyExists': OLDER,
  'ParseHooksTest.testEditFunction': OLDER,
  'ParseHooksTest.testFetchFunctions': OLDER,
  'ParseLogsTest.testGettingOneLog': OLDER,
  'ParseQueryAggregateTest.testAggregateOnUsers': STALE,
  'ParseQueryFullTextTest.testFullTextQuery': STALE,
  'ParseQueryFullTextTest.testFullTextSort': STALE,
  'ParseQueryRelativeTimeTest.testBetweenRelativeTimes': STALE,
  'ParseQueryRelativeTimeTest.testGreaterThanEqualToRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testGreaterThanRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testLessThanEqualToRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testLessThanRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testLongRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testNowRelativeTime': STALE,
  'ParseQueryRelativeTimeTest.testRelativeTimeOnNonExistantField': STALE,
  'ParseQueryRelativeTimeTest.testRelativeTimeUnits': STALE,
  'ParseQueryTest.testBasicQuery': STALE,
  'ParseQueryTest.testEndsWithSingle': STALE,
  'ParseQueryTest.testEqualTo': STALE,
  'ParseQueryTest.testLessThan': STALE,
  'ParseQueryTest.testLessThanOrEqualTo': STALE,
  'ParseQueryTest.testNotEqualTo': STALE,
  'ParseQueryTest.testQueryWithLimit': STALE,
  'ParseQueryTest.testStartsWithMultiple': STALE,
  'ParseQueryTest.testStartsWithSingle': STALE,
  'ParseRoleTest.testAddUserAfterFetch': STALE,
  'ParseRoleTest.testRoleHierarchyAndPropagation': STALE,
  'ParseSessionFixationTest.testCookieIdChangedForAnonymous': SESSIONS,
  'ParseSessionFixationTest.testCookieIdChangedForAnonymousToRegistered': SESSIONS,
  'ParseSessionStorageTest.testIsUsingParseSession': SESSIONS,
  'ParseSessionStorageTest.testRecreatingSessionStorage': SESSIONS,
  'ParseStreamHttpClientTest.testGetResponse': OUTSIDE,
  'ParseUserTest.testEmailAlreadyVerified': OLDER,
  'ParseUserTest.testRequestVerificationEmailBad': OLDER,
};

/** Tests that pass or fail by time: test → why. */
export const unsteady = {
  'ParseAudienceTest.testPushWithAudience': 'asks for the last use of an audience without waiting for it',
  'ParseCloudTest.testFailingJob': AT_ONCE,
  'ParseCloudTest.testRunJob': AT_ONCE,
};
